//! Days, months and years, as queries name them.

use tantivy::time::{Date as Day, Month};

use super::value::Date;

/// The times of a day, a month or a year in UTC, or a single time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Period {
    pub(super) first: Date,
    pub(super) last: Date,
}

impl Period {
    /// Reads a year (`2024`), a month (`2024-03`), a day (`2024-03-01`) or a time as in RFC 3339.
    pub(super) fn read(text: &str) -> Option<Self> {
        let begin = match text.len() {
            4 => format!("{text}-01-01"),
            7 => format!("{text}-01"),
            10 => text.to_owned(),
            _ => {
                let time = text.parse().ok()?;
                return Some(Self {
                    first: time,
                    last: time,
                });
            }
        };
        let day = day(&begin)?;
        let next = match text.len() {
            4 => Day::from_calendar_date(day.year() + 1, Month::January, 1).ok()?,
            7 => {
                let last = day.replace_day(day.month().length(day.year())).ok()?;
                last.next_day()?
            }
            _ => day.next_day()?,
        };
        let nanoseconds = |day: Day| day.midnight().assume_utc().unix_timestamp_nanos();
        let date = |nanoseconds| i64::try_from(nanoseconds).ok().map(Date::from_nanoseconds);
        Some(Self {
            first: date(nanoseconds(day))?,
            last: date(nanoseconds(next) - 1)?,
        })
    }
}

/// Reads a day such as 2026-11-27.
pub(super) fn day(text: &str) -> Option<Day> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let mut digits = [year, month, day].into_iter().flat_map(str::bytes);
    if (year.len(), month.len(), day.len()) != (4, 2, 2)
        || !digits.all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let month = month.parse::<u8>().ok()?.try_into().ok()?;
    Day::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<[String; 2]> {
        Period::read(text).map(|period| [period.first, period.last].map(|date| date.to_string()))
    }

    #[test]
    fn a_period_reaches_to_its_last_nanosecond() {
        let period = |first: &str, last: &str| Some([first.to_owned(), last.to_owned()]);
        assert_eq!(
            shown("2024-02-29"),
            period("2024-02-29T00:00:00Z", "2024-02-29T23:59:59.999999999Z")
        );
        assert_eq!(
            shown("2024-02"),
            period("2024-02-01T00:00:00Z", "2024-02-29T23:59:59.999999999Z")
        );
        assert_eq!(
            shown("1999"),
            period("1999-01-01T00:00:00Z", "1999-12-31T23:59:59.999999999Z")
        );
        assert_eq!(
            shown("2024-12"),
            period("2024-12-01T00:00:00Z", "2024-12-31T23:59:59.999999999Z")
        );
        let noon = "2024-12-01T12:00:00Z";
        assert_eq!(shown(noon), period(noon, noon));
    }

    #[test]
    fn what_is_no_period_is_refused() {
        for text in [
            "",
            "24",
            "20x4",
            "2023-02-29",
            "2024-13",
            "2024-1",
            "2024-1-1",
            "-024",
            "1500",
            "2263",
            "2024/03/01",
            "März",
            "+024",
        ] {
            assert_eq!(Period::read(text), None, "{text}");
        }
    }
}
