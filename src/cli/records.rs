//! The reader of files of records, which contain one JSON object per line.

use std::io::{BufRead, Read};

use super::document::as_text;

/// The byte order mark that some editors write at the beginning of a file.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The bounds of a line in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The maximum length of a record. A longer line is skipped.
    pub(super) line: u64,
    /// The number of bytes above it that are passed over in search of the next line. If there are more, reading ends.
    pub(super) passed_over: u64,
}

/// An iterator over the lines that aren't blank. Each item is the line number, from 1, and the line or the reason why it can't be read.
/// It ends after a read error.
pub(super) struct Records<R> {
    lines: R,
    limits: Limits,
    number: u64,
    /// The bytes that were read and not asked for yet.
    bytes: u64,
    ended: bool,
    unreadable: bool,
}

impl<R: BufRead> Records<R> {
    pub(super) const fn new(lines: R, limits: Limits) -> Self {
        Self {
            lines,
            limits,
            number: 0,
            bytes: 0,
            ended: false,
            unreadable: false,
        }
    }

    /// Returns whether reading failed. Then the last item was a read error, not an invalid record.
    pub(super) const fn is_unreadable(&self) -> bool {
        self.unreadable
    }

    /// Returns the number of bytes that were read since the last call, without what was passed over.
    pub(super) const fn take_bytes(&mut self) -> u64 {
        std::mem::replace(&mut self.bytes, 0)
    }

    /// Returns the next line without its line break, even if it is blank. A line that is too long is cut one byte above the limit.
    fn line(&mut self) -> Option<Result<Vec<u8>, String>> {
        if self.ended {
            return None;
        }
        let mut line = Vec::new();
        let read = (&mut self.lines)
            .take(self.limits.line.saturating_add(1))
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
        self.bytes += line.len() as u64;
        let ended = line.pop_if(|byte| *byte == b'\n').is_some();
        if self.is_too_long(&line) {
            if !ended {
                match pass_over_line(&mut self.lines, self.limits.passed_over) {
                    Ok(more) => self.ended = !more,
                    Err(reason) => {
                        self.ended = true;
                        self.unreadable = true;
                        return Some(Err(reason));
                    }
                }
            }
        } else if self.number == 1 && line.starts_with(BYTE_ORDER_MARK) {
            line.drain(..BYTE_ORDER_MARK.len());
        }
        Some(Ok(line))
    }

    fn is_too_long(&self, line: &[u8]) -> bool {
        line.len() as u64 > self.limits.line
    }
}

impl<R: BufRead> Iterator for Records<R> {
    type Item = (u64, Result<String, String>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let text = match self.line()? {
                Ok(line) if !self.is_too_long(&line) && line.trim_ascii().is_empty() => continue,
                Ok(line) => as_text(line, self.limits.line),
                Err(reason) => Err(reason),
            };
            return Some((self.number, text));
        }
    }
}

/// Passes over the rest of a line that is too long, up to `limit` bytes. Returns whether another line may follow.
fn pass_over_line(lines: &mut impl BufRead, limit: u64) -> Result<bool, String> {
    let mut passed = 0;
    loop {
        let buffer = lines.fill_buf().map_err(|error| error.to_string())?;
        if buffer.is_empty() {
            return Ok(false);
        }
        let end = buffer.iter().position(|&byte| byte == b'\n');
        let length = end.map_or(buffer.len(), |end| end + 1);
        lines.consume(length);
        if end.is_some() {
            return Ok(true);
        }
        passed += length as u64;
        if passed > limit {
            return Err("a line without an end, after which nothing is read".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn limits(line: u64) -> Limits {
        Limits {
            line,
            passed_over: 200,
        }
    }

    /// Returns the lines with their numbers, or `None` if the line was skipped.
    fn lines(file: &str, limit: u64) -> Vec<(u64, Option<String>)> {
        let mut records = Records::new(file.as_bytes(), limits(limit));
        let lines = records.by_ref().map(|(number, line)| (number, line.ok()));
        let lines = lines.collect();
        assert!(!records.is_unreadable());
        lines
    }

    /// A reader that fails at its end.
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
        let torn = std::io::BufReader::new(Torn(b"one\ntw"));
        let mut records = Records::new(torn, limits(64));
        assert!(records.next().is_some_and(|(_, line)| line.is_ok()));
        assert!(!records.is_unreadable());
        let (number, line) = records.next().unwrap();
        assert_eq!((number, line.err().as_deref()), (2, Some("torn")));
        assert!(records.is_unreadable() && records.next().is_none());
    }

    #[test]
    fn blank_lines_count_and_yield_nothing() {
        let file = "\u{feff}one\r\n\n  \ntwo";
        let expected = [(1, Some("one\r".to_owned())), (4, Some("two".to_owned()))];
        assert_eq!(lines(file, 64), expected);
    }

    #[test]
    fn a_long_line_is_one_line_whatever_it_begins_with() {
        let record = "the next line";
        for long in [
            "x".repeat(100),
            format!("\u{feff}{}", " ".repeat(25)),
            " ".repeat(25),
        ] {
            let file = format!("{long}{record}\n{record}\n");
            assert_eq!(
                lines(&file, 24),
                [(1, None), (2, Some(record.to_owned()))],
                "{long:?}"
            );
        }
    }

    #[test]
    fn s14_a_line_without_an_end_is_not_read_for_ever() {
        let endless = std::io::BufReader::new(std::io::repeat(b'x'));
        let mut records = Records::new(endless, limits(24));
        let (number, line) = records.next().unwrap();
        assert_eq!(number, 1);
        assert!(line.is_err_and(|reason| reason.contains("without an end")));
        assert!(records.is_unreadable() && records.next().is_none());
    }
}
