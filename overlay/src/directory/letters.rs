//! Letters kept for people who are away: somebody wanted to reach them and could not.
//!
//! ```text
//!   Leave ─▶ kept ─collected─▶ told to be taken ─▶ gone
//!              ├──────── KEPT_FOR ────────────────▶ gone
//!              └─the box is full─▶ of whoever left the most in it, the oldest goes
//! ```
//! A letter is ciphertext of one size; who left it is known by the prefix it came from, and forgotten with it.

use std::{collections::BTreeMap, time::Duration};

use minicbor::{Decode, Encode};
use relay::UnixTime;
use sha2::{Digest as _, Sha256};

use super::Source;
use crate::{config::Limits, envelope::ENVELOPE_SIZE, identity::PublicKey};

/// How long a letter waits for its reader.
pub const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// Letters one person's box holds. When it is full, the oldest of the prefix that left the most in it makes room: a
/// flood from one place drives out itself.
pub const MAX_LETTERS: usize = 16;

/// One letter, sealed to the key in its reader's introduction record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct SealedLetter(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>);

impl SealedLetter {
    /// Of these bytes; nothing, if they have not the size of all envelopes.
    pub fn new(sealed: Vec<u8>) -> Option<Self> {
        (sealed.len() == ENVELOPE_SIZE).then_some(Self(sealed))
    }

    /// The sealed bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// What it is called by when it was taken.
    pub fn mark(&self) -> LetterMark {
        let hash = Sha256::new_with_prefix("silbo letter mark 1").chain_update([0]).chain_update(&self.0);
        let [a, b, c, d, e, f, g, h, ..] = hash.finalize().0;
        LetterMark([a, b, c, d, e, f, g, h])
    }
}

/// Names a letter: eight bytes of its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct LetterMark(#[cbor(n(0), with = "minicbor::bytes")] [u8; 8]);

/// All boxes of one supernode; bounded for each person, for each prefix and in total.
#[derive(Debug, Default)]
pub struct Letters {
    boxes: BTreeMap<PublicKey, Vec<Kept>>,
    count: usize,
    per_source: BTreeMap<Source, usize>,
}

#[derive(Debug)]
struct Kept {
    letter: SealedLetter,
    mark: LetterMark,
    from: Source,
    until: UnixTime,
}

/// What became of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterPut {
    /// It is kept.
    Kept,
    /// No room.
    Full,
}

impl Letters {
    /// Keeps a letter for somebody.
    pub fn put(
        &mut self,
        now: UnixTime,
        limits: &Limits,
        reader: PublicKey,
        from: Source,
        letter: SealedLetter,
    ) -> LetterPut {
        let mark = letter.mark();
        let kept = self.boxes.get(&reader).map_or(&[][..], Vec::as_slice);
        if kept.iter().any(|kept| kept.mark == mark) {
            return LetterPut::Kept;
        }
        let from_there = self.per_source.get(&from).copied().unwrap_or(0);
        if from != Source::Own && from_there >= limits.letters_per_prefix {
            return LetterPut::Full;
        }
        if kept.len() >= MAX_LETTERS {
            let out = makes_room(kept, from);
            self.remove(&reader, |kept| Some(kept.mark) == out);
        } else if self.count >= limits.letters {
            return LetterPut::Full;
        }
        self.count += 1;
        *self.per_source.entry(from).or_insert(0) += 1;
        let until = now.saturating_add(KEPT_FOR);
        self.boxes.entry(reader).or_default().push(Kept { letter, mark, from, until });
        LetterPut::Kept
    }

    /// Drops what its reader has taken. What else waits, oldest first.
    pub fn collect(
        &mut self,
        now: UnixTime,
        reader: &PublicKey,
        taken: &[LetterMark],
    ) -> impl Iterator<Item = &SealedLetter> {
        self.remove(reader, |kept| taken.contains(&kept.mark) || kept.until <= now);
        self.boxes.get(reader).into_iter().flatten().map(|kept| &kept.letter)
    }

    /// Drops what nobody came for.
    pub fn expire(&mut self, now: UnixTime) {
        let readers: Vec<PublicKey> = self.boxes.keys().copied().collect();
        for reader in readers {
            self.remove(&reader, |kept| kept.until <= now);
        }
    }

    #[cfg(test)]
    pub(super) fn all(&self) -> impl Iterator<Item = &SealedLetter> {
        self.boxes.values().flatten().map(|kept| &kept.letter)
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn remove(&mut self, reader: &PublicKey, which: impl Fn(&Kept) -> bool) {
        let Some(kept) = self.boxes.get_mut(reader) else { return };
        for gone in kept.extract_if(.., |kept| which(kept)) {
            self.count -= 1;
            if let Some(count) = self.per_source.get_mut(&gone.from) {
                *count -= 1;
                if *count == 0 {
                    self.per_source.remove(&gone.from);
                }
            }
        }
        if kept.is_empty() {
            self.boxes.remove(reader);
        }
    }
}

/// The oldest letter of the source that has the most in a full box, the newcomer's counted with it.
fn makes_room(kept: &[Kept], newcomer: Source) -> Option<LetterMark> {
    let of = |source: Source| {
        kept.iter().filter(|kept| kept.from == source).count() + usize::from(source == newcomer)
    };
    let most = kept.iter().map(|kept| of(kept.from)).max()?;
    kept.iter().find(|kept| of(kept.from) == most).map(|kept| kept.mark)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn source(n: u8) -> Source {
        IpAddr::from([9, n, 0, 1]).into()
    }

    fn reader(n: u8) -> PublicKey {
        PublicKey::from_bytes([n; 32])
    }

    fn letter(n: u16) -> SealedLetter {
        let [high, low] = n.to_be_bytes();
        let mut bytes = vec![0; ENVELOPE_SIZE];
        bytes[..2].copy_from_slice(&[high, low]);
        SealedLetter::new(bytes).unwrap()
    }

    fn put(letters: &mut Letters, limits: &Limits, to: u8, from: u8, n: u16) -> LetterPut {
        letters.put(NOW, limits, reader(to), source(from), letter(n))
    }

    fn waiting(letters: &mut Letters, to: u8) -> Vec<SealedLetter> {
        letters.collect(NOW, &reader(to), &[]).cloned().collect()
    }

    #[test]
    fn a_letter_waits_until_its_reader_says_that_it_was_taken() {
        let (mut letters, limits) = (Letters::default(), Limits::default());
        for n in [1, 2, 1] {
            assert_eq!(put(&mut letters, &limits, 1, 1, n), LetterPut::Kept);
        }
        assert_eq!(waiting(&mut letters, 1), [letter(1), letter(2)]);
        assert_eq!(waiting(&mut letters, 2), []);
        let left: Vec<_> = letters.collect(NOW, &reader(1), &[letter(1).mark()]).cloned().collect();
        assert_eq!(left, [letter(2)]);
        assert_eq!(letters.collect(NOW, &reader(1), &[letter(2).mark()]).count(), 0);
        assert!(letters.is_empty() && letters.boxes.is_empty() && letters.per_source.is_empty());
    }

    #[test]
    fn nobody_waits_longer_than_a_week() {
        let (mut letters, limits) = (Letters::default(), Limits::default());
        put(&mut letters, &limits, 1, 1, 1);
        let end = NOW.saturating_add(KEPT_FOR);
        letters.expire(end.saturating_sub(Duration::from_secs(1)));
        assert_eq!(letters.len(), 1);
        assert_eq!(letters.collect(end, &reader(1), &[]).count(), 0);
        put(&mut letters, &limits, 1, 1, 1);
        letters.expire(end);
        assert!(letters.is_empty() && letters.per_source.is_empty());
    }

    #[test]
    fn a_flood_into_one_box_drives_out_itself_and_not_what_others_left() {
        let (mut letters, limits) = (Letters::default(), Limits::default());
        for n in 0..3 {
            put(&mut letters, &limits, 1, 2 + n as u8, n);
        }
        for n in 100..200 {
            assert_eq!(put(&mut letters, &limits, 1, 1, n), LetterPut::Kept);
        }
        let kept = waiting(&mut letters, 1);
        assert_eq!(kept.len(), MAX_LETTERS);
        assert!((0..3).all(|n| kept.contains(&letter(n))));
        assert!(kept.contains(&letter(199)) && !kept.contains(&letter(100)));
        put(&mut letters, &limits, 1, 9, 300);
        assert!(waiting(&mut letters, 1).contains(&letter(300)), "a newcomer finds room");
    }

    #[test]
    fn a_prefix_and_all_together_have_only_so_much_room() {
        let limits = Limits { letters: 30, letters_per_prefix: 20, ..Limits::default() };
        let mut letters = Letters::default();
        let from_one =
            (0..100).filter(|n| put(&mut letters, &limits, *n, 1, u16::from(*n)) == LetterPut::Kept);
        assert_eq!(from_one.count(), 20);
        let from_others =
            (100..200).filter(|n| put(&mut letters, &limits, *n, *n, u16::from(*n)) == LetterPut::Kept);
        assert_eq!(from_others.count(), 10);
        assert_eq!(letters.len(), 30);
    }

    #[test]
    fn a_letter_has_the_size_of_all_envelopes() {
        assert!(SealedLetter::new(vec![0; ENVELOPE_SIZE - 1]).is_none());
        assert!(SealedLetter::new(vec![0; ENVELOPE_SIZE + 1]).is_none());
    }
}
