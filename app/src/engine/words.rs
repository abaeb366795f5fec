//! Recovery words: an identity on paper.
//!
//! The 32 bytes of the secret and a checksum of 8 bits as 24 words of the English list of BIP-39, eleven bits each. The
//! words are the key itself, and not a seed from which one is derived: other programs make another key of them.

use bip39::{Error, Language, Mnemonic};
use overlay::Identity;
use std::fmt;
use zeroize::Zeroizing;

/// How many words there are.
pub const WORDS: usize = 24;
/// Bytes of what somebody types, at most: 24 words have 215 with their spaces.
pub const LONGEST_TEXT: usize = 4096;

/// The words of one identity, in their order.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryWords(Vec<&'static str>);

/// Words as somebody typed them, whether right or wrong.
#[derive(Clone, PartialEq, Eq)]
pub struct TypedWords(Zeroizing<String>);

/// Why words do not serve.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum WordsError {
    /// There are too few or too many.
    #[error("there are {WORDS} words, and these are {0}")]
    Number(usize),
    /// Those at these places, counted from one, are not in the list.
    #[error("{} not in the list of words", places(.0))]
    Unknown(Vec<usize>),
    /// Each is in the list, but together they are nobody's.
    #[error(
        "each word is in the list, but one of them is another than it was, or they stand in another order"
    )]
    Checksum,
    /// They are right, and somebody else's.
    #[error("these are the words of another identity")]
    Another,
}

impl RecoveryWords {
    /// Those of an identity.
    pub fn of(identity: &Identity) -> Self {
        let secret = Zeroizing::new(identity.secret());
        // Of 32 bytes there are always words.
        let words = Mnemonic::from_entropy(secret.as_ref()).map(|words| words.words().collect());
        Self(words.unwrap_or_default())
    }

    /// In their order.
    pub fn words(&self) -> &[&'static str] {
        &self.0
    }
}

impl TypedWords {
    /// Takes what somebody typed: in one line or several, with numbers before the words or without. What is longer than
    /// any words is cut off.
    pub fn new(text: impl Into<String>) -> Self {
        let mut text = Zeroizing::new(text.into());
        let end = (0..=LONGEST_TEXT.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
        Self(text)
    }

    /// How many words they are.
    pub fn count(&self) -> usize {
        self.words().count()
    }

    /// Whose they are.
    pub fn identity(&self) -> Result<Identity, WordsError> {
        let number = self.count();
        if number != WORDS {
            return Err(WordsError::Number(number));
        }
        let words: Vec<Zeroizing<String>> =
            self.words().map(|word| Zeroizing::new(word.to_lowercase())).collect();
        let known = |word: &Zeroizing<String>| Language::English.find_word(word).is_some();
        let unknown: Vec<usize> =
            (1..).zip(&words).filter(|(_, word)| !known(word)).map(|(place, _)| place).collect();
        if !unknown.is_empty() {
            return Err(WordsError::Unknown(unknown));
        }
        let mut line = Zeroizing::new(String::with_capacity(LONGEST_TEXT));
        for word in &words {
            line.push_str(word);
            line.push(' ');
        }
        let read = Mnemonic::parse_in_normalized(Language::English, line.trim_end());
        let (entropy, length) = read.map_err(|error| of_parser(&error))?.to_entropy_array();
        let entropy = Zeroizing::new(entropy);
        let secret = entropy.first_chunk::<32>().filter(|_| length == 32).ok_or(WordsError::Checksum)?;
        Ok(Identity::from_secret(*secret))
    }

    /// Whether they are those of this identity.
    pub fn check(&self, identity: &Identity) -> Result<(), WordsError> {
        let same = self.identity()?.public_key() == identity.public_key();
        if same { Ok(()) } else { Err(WordsError::Another) }
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        let pieces = self.0.split_whitespace();
        pieces
            .map(|piece| piece.trim_matches(|letter: char| !letter.is_alphabetic()))
            .filter(|word| !word.is_empty())
    }
}

/// Number and list were looked at before.
fn of_parser(error: &Error) -> WordsError {
    match error {
        Error::BadWordCount(number) => WordsError::Number(*number),
        Error::UnknownWord(at) => WordsError::Unknown(vec![at + 1]),
        _ => WordsError::Checksum,
    }
}

/// "word 3 is", "words 3 and 17 are", "words 3, 9 and 17 are".
fn places(places: &[usize]) -> String {
    let texts: Vec<String> = places.iter().map(usize::to_string).collect();
    match texts.split_last() {
        Some((last, [])) => format!("word {last} is"),
        Some((last, others)) => format!("words {} and {last} are", others.join(", ")),
        None => "no word is".into(),
    }
}

impl fmt::Debug for RecoveryWords {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("RecoveryWords(..)")
    }
}

impl fmt::Debug for TypedWords {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("TypedWords(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(seed: u8) -> Identity {
        Identity::from_secret([seed; 32])
    }

    fn read(text: &str) -> Result<[u8; 32], WordsError> {
        TypedWords::new(text).identity().map(|identity| identity.secret())
    }

    #[test]
    fn the_words_are_those_of_the_vectors_of_bip_39() {
        let text = |seed| RecoveryWords::of(&identity(seed)).words().join(" ");
        assert_eq!(text(0), format!("{}art", "abandon ".repeat(23)));
        assert_eq!(text(0xff), format!("{}vote", "zoo ".repeat(23)));
        let eight = "letter advice cage absurd amount doctor acoustic avoid ";
        assert_eq!(text(0x80), format!("{eight}{eight}{}bless", eight.trim_end_matches("avoid ")));
    }

    #[test]
    fn an_identity_comes_back_from_its_words_however_they_are_written_down() {
        for seed in 0..=255 {
            let words = RecoveryWords::of(&identity(seed));
            assert_eq!(read(&words.words().join(" ")), Ok([seed; 32]));
        }
        let words = RecoveryWords::of(&identity(9));
        let numbered: Vec<String> = (1..)
            .zip(words.words())
            .map(|(number, word)| format!("{number}. {}\r\n", word.to_uppercase()))
            .collect();
        assert_eq!(read(&numbered.concat()), Ok([9; 32]));
        assert_eq!(TypedWords::new(numbered.concat()).check(&identity(9)), Ok(()));
        assert_eq!(TypedWords::new(numbered.concat()).check(&identity(8)), Err(WordsError::Another));
    }

    #[test]
    fn a_wrong_word_is_named_by_its_place_and_a_wrong_sum_is_said() {
        let right = RecoveryWords::of(&identity(9)).words().to_vec();
        let with = |changes: &[(usize, &'static str)]| {
            let mut words = right.clone();
            changes.iter().for_each(|(place, word)| words[place - 1] = word);
            read(&words.join(" ")).unwrap_err()
        };
        assert_eq!(with(&[(3, "silbo")]), WordsError::Unknown(vec![3]));
        let several = with(&[(1, "x"), (9, "naïve"), (24, "gomera")]);
        assert_eq!(several.to_string(), "words 1, 9 and 24 are not in the list of words");
        let other = if right[4] == "zoo" { "abandon" } else { "zoo" };
        assert_eq!(with(&[(5, other)]), WordsError::Checksum);
    }

    #[test]
    fn too_few_and_too_many_words_are_counted() {
        let right = RecoveryWords::of(&identity(9)).words().to_vec();
        assert_eq!(read(""), Err(WordsError::Number(0)));
        assert_eq!(read(&right[..12].join(" ")), Err(WordsError::Number(12)));
        assert_eq!(read(&format!("{} zoo", right.join(" "))), Err(WordsError::Number(25)));
        assert!(matches!(read(&"é ".repeat(100_000)), Err(WordsError::Number(_))));
    }

    #[test]
    fn words_are_never_logged() {
        let words = RecoveryWords::of(&identity(0));
        assert!(!format!("{words:?} {:?}", TypedWords::new("abandon")).contains("abandon"));
    }
}
