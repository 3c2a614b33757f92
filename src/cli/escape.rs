//! Names and texts as they are printed: whatever a terminal would interpret or hide is escaped.

use std::io;

use serde_json::ser::Formatter;

/// Returns the text with the characters escaped that a terminal interprets or doesn't show.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unseen(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Returns whether the character is invisible: a control character, one that changes the direction of the text or joins or splits
/// words, or a separator of lines. These are Unicode's categories Cc, Cf, Zl and Zp.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}'
            | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
            | '\u{890}'..='\u{891}' | '\u{8e2}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0001}' | '\u{e0020}'..='\u{e007f}'
        )
}

/// Returns the name that these bytes have in the output. Different bytes have different names: a byte that isn't UTF-8 is written as `\xff`. A
/// name with such bytes, or that looks as if it had some, has its backslashes doubled. Other names stay as they are.
pub(super) fn name(bytes: &[u8]) -> String {
    let looks_escaped = |part: &[u8]| {
        matches!(part, [b'\\', b'x', high, low]
            if matches!(high, b'8' | b'9' | b'a'..=b'f') && matches!(low, b'0'..=b'9' | b'a'..=b'f'))
    };
    match str::from_utf8(bytes) {
        Ok(name) if !bytes.windows(4).any(looks_escaped) => name.to_owned(),
        _ => escaped(bytes),
    }
}

fn escaped(bytes: &[u8]) -> String {
    let mut name = String::new();
    for chunk in bytes.utf8_chunks() {
        name.push_str(&chunk.valid().replace('\\', r"\\"));
        for byte in chunk.invalid() {
            name.push_str(&format!("\\x{byte:02x}"));
        }
    }
    name
}

/// The format of compact JSON, in which invisible characters are escaped. It reads back as the same text.
pub(super) struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|&(_, c)| is_unseen(c)) {
            writer.write_all(&rest.as_bytes()[..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &rest[at + c.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[test]
    fn different_names_stay_different() {
        let names: [&[u8]; 8] = [
            b"a\xff",
            b"a\xfe",
            br"a\xff",
            br"a\\xff",
            b"a\\\xff",
            br"a\x2d",
            br"a\b",
            "a\u{fffd}".as_bytes(),
        ];
        let printed = names.map(name);
        for (at, one) in printed.iter().enumerate() {
            assert!(!printed[..at].contains(one), "{one} in {printed:?}");
        }
        assert_eq!(printed[0], r"a\xff");
        assert_eq!(printed[5], r"a\x2d");
    }

    #[test]
    fn what_a_terminal_would_interpret_is_escaped() {
        assert_eq!(shown("a\u{202e}b\u{1b}[m"), r"a\u{202e}b\u{1b}[m");
        assert_eq!(shown("naïve 文字"), "naïve 文字");
        let mut json = Vec::new();
        let text = "a\u{202e}\u{e0041}\u{7f}\n\"文";
        text.serialize(&mut serde_json::Serializer::with_formatter(
            &mut json, Visible,
        ))
        .unwrap();
        let json = String::from_utf8(json).unwrap();
        assert_eq!(json, r#""a\u202e\udb40\udc41\u007f\n\"文""#);
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
