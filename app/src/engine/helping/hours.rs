//! At which hours of the day this computer helps, by the clock of the place where it stands.

use overlay::volunteer::Hours;
use std::{fmt, str::FromStr};

/// When this computer may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HelpHours {
    /// At any time.
    #[default]
    Always,
    /// Each day from one hour to another, perhaps over midnight.
    Daily(Span),
}

/// From one full hour to another one; never a whole day, and never nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    from: u8,
    to: u8,
}

/// One end of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Where it begins.
    From,
    /// Where it is over.
    To,
}

/// One way round the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// An hour earlier.
    Earlier,
    /// An hour later.
    Later,
}

/// Why something typed is no hour to begin or end at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoHour {
    /// It is no full hour of a day.
    Unknown,
    /// It is the hour of the other end.
    Same,
}

/// Full hours of a day.
const DAY: u8 = 24;

/// What is no time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not two different full hours; 22-7 is from ten in the evening to seven, `always` is at any time")]
pub struct NoHours;

impl Span {
    /// The night: what is proposed to whoever wants to name hours.
    pub const NIGHT: Self = Self { from: 22, to: 7 };

    /// From this hour (0 to 23) until the other one (1 to 24, or 0 for midnight).
    pub fn new(from: u8, to: u8) -> Result<Self, NoHours> {
        let until = to % DAY;
        if from < DAY && to <= DAY && from != until { Ok(Self { from, to: until }) } else { Err(NoHours) }
    }

    /// The hour it begins at.
    pub const fn from(self) -> u8 {
        self.from
    }

    /// The hour at which it is over.
    pub const fn to(self) -> u8 {
        self.to
    }

    /// One end of it.
    pub const fn end(self, end: End) -> u8 {
        match end {
            End::From => self.from,
            End::To => self.to,
        }
    }

    /// The same with one end at the hour that was typed: `22:00`, `22`, `10 pm`.
    pub fn typed(self, end: End, text: &str) -> Result<Self, NoHour> {
        let hour = hour_typed(text).ok_or(NoHour::Unknown)?;
        let (from, to) = match end {
            End::From => (hour, self.to),
            End::To => (self.from, hour),
        };
        Self::new(from, to).map_err(|NoHours| NoHour::Same)
    }

    /// The same with one end an hour earlier or later; where both would meet, it goes past the other one.
    #[must_use]
    pub const fn moved(self, end: End, step: Step) -> Self {
        let (moving, other) = match end {
            End::From => (self.from, self.to),
            End::To => (self.to, self.from),
        };
        let next = step.from(moving);
        let moved = if next == other { step.from(next) } else { next };
        match end {
            End::From => Self { from: moved, ..self },
            End::To => Self { to: moved, ..self },
        }
    }

    const fn holds(self, hour: u8) -> bool {
        if self.from < self.to {
            self.from <= hour && hour < self.to
        } else {
            self.from <= hour || hour < self.to
        }
    }
}

impl Step {
    const fn from(self, hour: u8) -> u8 {
        match self {
            Self::Earlier => (hour + DAY - 1) % DAY,
            Self::Later => (hour + 1) % DAY,
        }
    }
}

/// A full hour, from 0 to 23; midnight is 24 as well.
fn hour_typed(text: &str) -> Option<u8> {
    let text = text.trim().to_lowercase();
    let half = [("am", 0), ("pm", DAY / 2)].into_iter().find_map(|(name, hours)| {
        Some((text.strip_suffix(name)?.trim_end(), hours)).filter(|(rest, _)| !rest.is_empty())
    });
    let (clock, later) = half.unwrap_or((text.trim_end_matches('h').trim_end(), 0));
    let (hour, minutes) = clock.split_once([':', '.']).unwrap_or((clock, "00"));
    let digits = |part: &str| part.len() <= 2 && part.bytes().all(|letter| letter.is_ascii_digit());
    let hour: u8 = Some(hour).filter(|hour| digits(hour))?.parse().ok()?;
    match half {
        _ if minutes != "00" => None,
        Some(_) if (1..=DAY / 2).contains(&hour) => Some(hour % (DAY / 2) + later),
        Some(_) => None,
        None if hour <= DAY => Some(hour % DAY),
        None => None,
    }
}

impl HelpHours {
    /// Whether this is such an hour; whoever cannot tell what time it is does not help where hours were chosen.
    pub fn at(self, hour: Option<u8>) -> Hours {
        match (self, hour) {
            (Self::Always, _) => Hours::Within,
            (Self::Daily(span), Some(hour)) if span.holds(hour) => Hours::Within,
            (Self::Daily(_), _) => Hours::Outside,
        }
    }
}

impl fmt::Display for HelpHours {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => out.write_str("always"),
            Self::Daily(Span { from, to }) => write!(out, "{from}-{to}"),
        }
    }
}

impl FromStr for HelpHours {
    type Err = NoHours;

    fn from_str(text: &str) -> Result<Self, NoHours> {
        if text == "always" {
            return Ok(Self::Always);
        }
        let (from, to) = text.split_once('-').ok_or(NoHours)?;
        let hour = |text: &str| text.trim().parse().map_err(|_| NoHours);
        Span::new(hour(from)?, hour(to)?).map(Self::Daily)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn daily(from: u8, to: u8) -> HelpHours {
        HelpHours::Daily(Span::new(from, to).unwrap())
    }

    /// The hours at which it helps.
    fn helps(hours: HelpHours) -> Vec<u8> {
        (0..24).filter(|hour| hours.at(Some(*hour)) == Hours::Within).collect()
    }

    #[test]
    fn a_night_goes_over_midnight_and_a_day_does_not() {
        assert_eq!(helps(daily(22, 7)), [0, 1, 2, 3, 4, 5, 6, 22, 23]);
        assert_eq!(helps(daily(9, 12)), [9, 10, 11]);
        assert_eq!(helps(daily(18, 24)), [18, 19, 20, 21, 22, 23]);
        assert_eq!(helps(daily(0, 2)), [0, 1]);
        assert_eq!(helps(HelpHours::Always).len(), 24);
    }

    #[test]
    fn who_does_not_know_the_time_helps_only_where_it_does_not_matter() {
        assert_eq!(HelpHours::Always.at(None), Hours::Within);
        assert_eq!(daily(22, 7).at(None), Hours::Outside);
    }

    #[test]
    fn what_was_written_is_read_again_and_nothing_else() {
        for hours in [HelpHours::Always, daily(22, 7), daily(0, 23), daily(18, 24)] {
            assert_eq!(hours.to_string().parse(), Ok(hours));
        }
        assert_eq!("18 - 24".parse(), "18-0".parse::<HelpHours>());
        for wrong in ["", "7", "7-7", "0-24", "24-7", "22-25", "-1-7", "a-b", "22-7-9", "never"] {
            assert_eq!(wrong.parse::<HelpHours>(), Err(NoHours), "{wrong}");
        }
    }

    #[test]
    fn an_hour_is_typed_as_people_write_it() {
        let typed = |text| Span::NIGHT.typed(End::From, text).map(Span::from);
        for text in ["21:00", "21", " 21.00 ", "9 pm", "9PM", "21 h", "09:00 pm"] {
            assert_eq!(typed(text), Ok(21), "{text}");
        }
        for text in ["0", "00:00", "24:00", "12 am"] {
            assert_eq!(typed(text), Ok(0), "{text}");
        }
        for text in ["", "21:30", "25", "-1", "ten", "13 pm", "0 am", "21:00:00", "pm", ":00", "+9", "2100"] {
            assert_eq!(typed(text), Err(NoHour::Unknown), "{text}");
        }
        assert_eq!(typed("7:00"), Err(NoHour::Same));
        assert_eq!(Span::NIGHT.typed(End::To, "6").map(Span::to), Ok(6));
    }

    #[test]
    fn either_end_moves_round_the_clock_and_past_the_other_one() {
        let moved = |from, to, end, step| {
            let Span { from, to } = Span::new(from, to).unwrap().moved(end, step);
            (from, to)
        };
        assert_eq!(moved(22, 7, End::From, Step::Later), (23, 7));
        assert_eq!(moved(22, 7, End::To, Step::Earlier), (22, 6));
        assert_eq!(moved(23, 7, End::From, Step::Later), (0, 7));
        assert_eq!(moved(7, 0, End::To, Step::Earlier), (7, 23));
        assert_eq!(moved(6, 7, End::From, Step::Later), (8, 7));
        assert_eq!(moved(23, 22, End::To, Step::Later), (23, 0));
        assert_eq!(moved(0, 1, End::To, Step::Earlier), (0, 23));
    }
}
