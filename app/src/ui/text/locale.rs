//! Which language the window speaks.

use crate::engine::view::Language;
use std::cell::Cell;

/// A language the window speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Locale {
    /// English, which is also spoken where no other language is wanted that the window knows.
    #[default]
    English,
    /// Spanish.
    Spanish,
    /// English with accents, longer than any language, in brackets: for tests, which see by it what is clipped and
    /// what was never translated. Neither a setting nor a system chooses it.
    Pseudo,
}

impl Locale {
    /// The first language the person told the system that the window speaks.
    pub fn of_system() -> Self {
        Self::of_tags(sys_locale::get_locales())
    }

    /// The same by BCP 47 tags, best first; a POSIX system says `C` for English, too.
    fn of_tags(tags: impl IntoIterator<Item = String>) -> Self {
        let known = |tag: String| match tag.split('-').next()? {
            "en" | "C" | "POSIX" => Some(Self::English),
            "es" => Some(Self::Spanish),
            _ => None,
        };
        tags.into_iter().find_map(known).unwrap_or_default()
    }

    /// What the person chose; `system` is what the system speaks.
    pub(in crate::ui) fn chosen(language: Language, system: Self) -> Self {
        match language {
            Language::System => system,
            Language::English => Self::English,
            Language::Spanish => Self::Spanish,
        }
    }
}

thread_local! {
    /// The thread of the window draws one frame at a time, in one language.
    static SPOKEN: Cell<Locale> = const { Cell::new(Locale::English) };
}

/// All that is said on this thread from now on is said in this language; called at the beginning of each frame.
pub(in crate::ui) fn speak(locale: Locale) {
    SPOKEN.set(locale);
}

/// What is spoken on this thread.
pub(super) fn spoken() -> Locale {
    SPOKEN.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_that_is_known_is_spoken_and_english_where_none_is() {
        let of = |tags: &[&str]| Locale::of_tags(tags.iter().map(|tag| (*tag).to_owned()));
        assert_eq!(of(&["es-ES", "en"]), Locale::Spanish);
        assert_eq!(of(&["es"]), Locale::Spanish);
        assert_eq!(of(&["gl-ES", "es-ES", "en-US"]), Locale::Spanish);
        assert_eq!(of(&["en-GB", "es-ES"]), Locale::English);
        assert_eq!(of(&["C", "es-ES"]), Locale::English);
        assert_eq!(of(&["POSIX"]), Locale::English);
        for unknown in [&[][..], &["ja-JP"], &[""], &["--", "estonian"]] {
            assert_eq!(of(unknown), Locale::English, "{unknown:?}");
        }
    }

    #[test]
    fn a_choice_counts_more_than_the_system() {
        assert_eq!(Locale::chosen(Language::System, Locale::Spanish), Locale::Spanish);
        assert_eq!(Locale::chosen(Language::English, Locale::Spanish), Locale::English);
        assert_eq!(Locale::chosen(Language::Spanish, Locale::English), Locale::Spanish);
    }
}
