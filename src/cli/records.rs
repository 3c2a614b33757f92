//! The records of a `.jsonl` file, one JSON object a line.

use std::io::{BufRead, Read};

use serde_json::Value;

use super::document::{Document, as_text};

/// Some editors write it at the beginning of a file.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The fields of a record that are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) id: &'a str,
    pub(super) text: &'a str,
}

/// Returns each line that isn't blank: its number, from 1, and its document or the reason why there is none. What can't be read is the last.
pub(super) struct Records<'a, R> {
    lines: R,
    fields: Fields<'a>,
    /// The most bytes of a line.
    limit: u64,
    number: u64,
    ended: bool,
    unreadable: bool,
}

impl<'a, R: BufRead> Records<'a, R> {
    pub(super) fn new(lines: R, fields: Fields<'a>, limit: u64) -> Self {
        Self {
            lines,
            fields,
            limit,
            number: 0,
            ended: false,
            unreadable: false,
        }
    }

    /// Whether reading has failed, so that the last line was no broken record.
    pub(super) const fn is_unreadable(&self) -> bool {
        self.unreadable
    }

    /// The next line as it is, blank or not, without its end; no more than one byte over the limit of it.
    fn line(&mut self) -> Option<Result<Vec<u8>, String>> {
        if self.ended {
            return None;
        }
        let mut line = Vec::new();
        let read = (&mut self.lines)
            .take(self.limit.saturating_add(1))
            .read_until(b'\n', &mut line);
        match read {
            Ok(0) => return None,
            Ok(_) => self.number += 1,
            Err(error) => {
                self.number += 1;
                self.ended = true;
                self.unreadable = true;
                return Some(Err(error.to_string()));
            }
        }
        let ended = line.pop_if(|byte| *byte == b'\n').is_some();
        if self.is_too_long(&line) {
            self.ended = !ended && !skip_line(&mut self.lines);
        } else if self.number == 1 && line.starts_with(BYTE_ORDER_MARK) {
            line.drain(..BYTE_ORDER_MARK.len());
        }
        Some(Ok(line))
    }

    fn is_too_long(&self, line: &[u8]) -> bool {
        line.len() as u64 > self.limit
    }
}

impl<R: BufRead> Iterator for Records<'_, R> {
    type Item = (u64, Result<Document, String>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let document = match self.line()? {
                Ok(line) if !self.is_too_long(&line) && line.trim_ascii().is_empty() => continue,
                Ok(line) => as_text(line, self.limit).and_then(|text| record(self.fields, &text)),
                Err(reason) => Err(reason),
            };
            return Some((self.number, document));
        }
    }
}

/// Passes over the rest of a line that is too long. Says whether there is more.
fn skip_line(lines: &mut impl BufRead) -> bool {
    loop {
        let Ok(buffer) = lines.fill_buf() else {
            return false;
        };
        if buffer.is_empty() {
            return false;
        }
        let end = buffer.iter().position(|&byte| byte == b'\n');
        let passed = end.map_or(buffer.len(), |end| end + 1);
        lines.consume(passed);
        if end.is_some() {
            return true;
        }
    }
}

fn record(names: Fields<'_>, line: &str) -> Result<Document, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let Value::Object(mut fields) = value else {
        return Err("not an object".to_owned());
    };
    let mut field = |name: &str| {
        fields
            .remove(name)
            .ok_or_else(|| format!("no field {name:?}"))
    };
    // The id first, and a copy if both are one field.
    let id = match field(names.id)? {
        Value::String(id) => id,
        Value::Number(id) if id.is_u64() || id.is_i64() => id.to_string(),
        Value::Number(_) => {
            return Err(format!(
                "the field {:?} is a number that is not whole or too large: write it as a string",
                names.id
            ));
        }
        _ => return Err(format!("the field {:?} is no string or number", names.id)),
    };
    if names.text == names.id {
        return Ok(Document::record(id.clone(), id));
    }
    match field(names.text)? {
        Value::String(text) => Ok(Document::record(id, text)),
        _ => Err(format!("the field {:?} is no string", names.text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: Fields<'_> = Fields {
        id: "id",
        text: "text",
    };

    /// The numbers of the lines with their documents' names, or nothing for what was skipped.
    fn names(file: &str, limit: u64) -> Vec<(u64, Option<String>)> {
        let mut records = Records::new(file.as_bytes(), FIELDS, limit);
        let names = records
            .by_ref()
            .map(|(number, document)| (number, document.ok().map(|document| document.name)))
            .collect();
        assert!(!records.is_unreadable());
        names
    }

    /// Fails at its end.
    struct Torn(&'static [u8]);

    impl Read for Torn {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(buffer) {
                Ok(0) => Err(std::io::Error::other("torn")),
                read => read,
            }
        }
    }

    #[test]
    fn a_file_that_can_not_be_read_to_its_end_says_so() {
        let torn = std::io::BufReader::new(Torn(b"{\"id\":1,\"text\":\"\"}\n{\"id"));
        let mut records = Records::new(torn, FIELDS, 64);
        assert!(records.next().is_some_and(|(_, document)| document.is_ok()));
        assert!(!records.is_unreadable());
        let (number, document) = records.next().unwrap();
        assert_eq!((number, document.err().as_deref()), (2, Some("torn")));
        assert!(records.is_unreadable() && records.next().is_none());
    }

    #[test]
    fn blank_lines_count_and_yield_nothing() {
        let file = "\u{feff}{\"id\":\"a\",\"text\":\"\"}\r\n\n  \n{\"id\":-7,\"text\":\"\"}";
        let expected = [(1, Some("a".to_owned())), (4, Some("-7".to_owned()))];
        assert_eq!(names(file, 64), expected);
    }

    #[test]
    fn a_long_line_is_one_line_whatever_it_begins_with() {
        let record = r#"{"id":"next","text":""}"#;
        for long in [
            "x".repeat(100),
            format!("\u{feff}{}", " ".repeat(25)),
            " ".repeat(25),
        ] {
            let file = format!("{long}{record}\n{record}\n");
            assert_eq!(
                names(&file, 24),
                [(1, None), (2, Some("next".to_owned()))],
                "{long:?}"
            );
        }
    }
}
