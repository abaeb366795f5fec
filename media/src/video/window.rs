//! Windows of other programs: their titles, and which one a person means.

use std::fmt;
use std::str::FromStr;

/// The number X11 knows a window by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WindowId(u32);

/// How a person names a window, as text that begins with `0x` for a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WindowName {
    /// This one.
    Id(WindowId),
    /// The one with this title, or else the only one whose title has this in it.
    Title(String),
}

/// A window that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenWindow {
    /// Its number.
    pub id: WindowId,
    /// What stands above it: one line of [`MOST_TITLE`] characters at most, never empty.
    pub title: String,
}

/// Why text names no window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a window is named by its title or a number like 0x3a00007")]
pub struct NoWindowName;

/// Why a name stands for no window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChoiceError {
    /// None has it.
    #[error("no window that is open is called {0:?}")]
    None(String),
    /// It could be one or another.
    #[error("{count} windows have {title:?} in their titles")]
    Several {
        /// What was said.
        title: String,
        /// How many.
        count: usize,
    },
}

/// Characters of a title; the rest is cut off.
pub const MOST_TITLE: usize = 120;

impl WindowId {
    /// As X11 has it; 0 is none.
    pub const fn new(number: u32) -> Option<Self> {
        if number == 0 { None } else { Some(Self(number)) }
    }

    /// As X11 has it.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for WindowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl FromStr for WindowName {
    type Err = NoWindowName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("0x") {
            Some(digits) if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
                let number = u32::from_str_radix(digits, 16).ok();
                number.and_then(WindowId::new).map(Self::Id).ok_or(NoWindowName)
            }
            _ if text.trim().is_empty() => Err(NoWindowName),
            _ => Ok(Self::Title(text.to_owned())),
        }
    }
}

impl fmt::Display for WindowName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Title(title) => title.fmt(f),
        }
    }
}

/// Which of these has such a title. Never a guess: what is shown of a computer is what its owner meant.
pub fn choose(title: &str, open: &[OpenWindow]) -> Result<WindowId, ChoiceError> {
    let called = |called: &dyn Fn(&str) -> bool| -> Vec<WindowId> {
        open.iter().filter(|window| called(&window.title)).map(|window| window.id).collect()
    };
    let whole = called(&|found| found == title);
    let found = if whole.is_empty() { called(&|found| found.contains(title)) } else { whole };
    match found[..] {
        [id] => Ok(id),
        [] => Err(ChoiceError::None(title.to_owned())),
        _ => Err(ChoiceError::Several { title: title.to_owned(), count: found.len() }),
    }
}

/// What may be shown of the title a program gave its window, in UTF-8 (`_NET_WM_NAME`) or else Latin-1 (`WM_NAME`).
///
/// Programs put anything there, web pages too: what is no text, breaks lines or turns their direction is left out.
pub fn title(utf8: &[u8], latin1: &[u8]) -> Option<String> {
    let text = if utf8.is_empty() {
        latin1.iter().map(|byte| char::from(*byte)).collect()
    } else {
        String::from_utf8_lossy(utf8).into_owned()
    };
    let shown: String = text.chars().filter(|letter| is_shown(*letter)).collect();
    let shown: String = shown.trim().chars().take(MOST_TITLE).collect();
    let shown = shown.trim_end();
    (!shown.is_empty()).then(|| shown.to_owned())
}

fn is_shown(letter: char) -> bool {
    // Marks and overrides of direction, separators of lines and paragraphs, the byte order mark.
    let invisible = matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    !letter.is_control() && !invisible
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(titles: &[&str]) -> Vec<OpenWindow> {
        let numbered = (1..).zip(titles);
        numbered
            .map(|(number, title)| OpenWindow { id: WindowId(number), title: (*title).to_owned() })
            .collect()
    }

    #[test]
    fn a_name_is_a_number_or_a_title_and_is_said_again_the_same() {
        assert_eq!("0x3a00007".parse(), Ok(WindowName::Id(WindowId(0x03a0_0007))));
        for text in ["0x3a00007", "notes.txt - Editor", "0xyz", "0x 1", " a"] {
            assert_eq!(text.parse::<WindowName>().map(|name| name.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "  ", "0x", "0x0", "0x100000000"] {
            assert_eq!(text.parse::<WindowName>(), Err(NoWindowName), "{text:?}");
        }
    }

    #[test]
    fn a_whole_title_counts_more_than_a_part_and_nothing_is_guessed() {
        let open = open(&["Editor", "notes - Editor", "Mail", "mail"]);
        assert_eq!(choose("Editor", &open), Ok(WindowId(1)));
        assert_eq!(choose("notes", &open), Ok(WindowId(2)));
        assert_eq!(choose("ail", &open), Err(ChoiceError::Several { title: "ail".to_owned(), count: 2 }));
        assert_eq!(choose("Editor!", &open), Err(ChoiceError::None("Editor!".to_owned())));
    }

    #[test]
    fn two_windows_of_one_title_are_two() {
        let several = ChoiceError::Several { title: "Terminal".to_owned(), count: 2 };
        assert_eq!(choose("Terminal", &open(&["Terminal", "Terminal"])), Err(several));
    }

    #[test]
    fn titles_are_one_line_of_text_whatever_programs_put_there() {
        assert_eq!(title("Grüße".as_bytes(), b"old"), Some("Grüße".to_owned()));
        assert_eq!(title(b"", b"Gr\xfc\xdfe"), Some("Grüße".to_owned()));
        assert_eq!(title(b"a\xffb\nc\0", b""), Some("a\u{fffd}bc".to_owned()));
        assert_eq!(title("safe\u{202e}exe.txt\u{200b}".as_bytes(), b""), Some("safeexe.txt".to_owned()));
        assert_eq!(title("ä".repeat(500).as_bytes(), b""), Some("ä".repeat(MOST_TITLE)));
        for nothing in [&b""[..], b" \t ", "\u{feff}".as_bytes()] {
            assert_eq!(title(nothing, b""), None);
        }
    }
}
