//! What came of a past call.

use crate::call::{Direction, Ended, Side};
use crate::reason::Reason;

/// What came of a past call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryOutcome {
    /// They called, we talked.
    Received,
    /// They called, we did not answer.
    Missed,
    /// They called, we said no.
    Refused,
    /// We called, we talked.
    Placed,
    /// We called, they said no.
    Declined,
    /// We called, and hung up before they answered.
    Cancelled,
    /// We called while they were in another call.
    Busy,
    /// We called, nobody answered.
    NoAnswer,
    /// We called, they were not online.
    NotOnline,
    /// We called in vain, for another reason.
    Unanswered,
}

impl HistoryOutcome {
    /// Those there are, and the word of each in storage and for programs.
    const WORDS: [(Self, &str); 10] = [
        (Self::Received, "received"),
        (Self::Missed, "missed"),
        (Self::Refused, "refused"),
        (Self::Placed, "placed"),
        (Self::Declined, "declined"),
        (Self::Cancelled, "cancelled"),
        (Self::Busy, "busy"),
        (Self::NoAnswer, "no_answer"),
        (Self::NotOnline, "not_online"),
        (Self::Unanswered, "unanswered"),
    ];

    /// What came of a call that ended so.
    pub fn of(ended: &Ended) -> Self {
        match (ended.direction, ended.talked, &ended.reason) {
            (Direction::Received, Some(_), _) => Self::Received,
            (Direction::Received, None, Reason::Declined(_) | Reason::HungUp) if ended.by == Side::Local => {
                Self::Refused
            }
            (Direction::Received, None, _) => Self::Missed,
            (Direction::Placed, Some(_), _) => Self::Placed,
            (Direction::Placed, None, Reason::Declined(_)) => Self::Declined,
            (Direction::Placed, None, Reason::Cancelled) => Self::Cancelled,
            (Direction::Placed, None, Reason::HungUp) if ended.by == Side::Local => Self::Cancelled,
            (Direction::Placed, None, Reason::Busy) => Self::Busy,
            (Direction::Placed, None, Reason::NotAnswered | Reason::NoReaction) => Self::NoAnswer,
            (Direction::Placed, None, Reason::NotOnline(_)) => Self::NotOnline,
            (Direction::Placed, None, _) => Self::Unanswered,
        }
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::WORDS.into_iter().find(|(outcome, _)| *outcome == self).map_or("", |(_, word)| word)
    }

    /// That of this word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::WORDS.into_iter().find(|(_, known)| *known == word).map(|(outcome, _)| outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_a_word_of_its_own() {
        for (outcome, word) in HistoryOutcome::WORDS {
            assert_eq!((outcome.word(), HistoryOutcome::of_word(word)), (word, Some(outcome)));
        }
    }

    #[test]
    fn a_call_that_came_to_nothing_says_for_what() {
        let of = |direction, by, reason| HistoryOutcome::of(&Ended { reason, by, direction, talked: None });
        let (placed, received) = (Direction::Placed, Direction::Received);
        assert_eq!(of(received, Side::Local, Reason::Declined(None)), HistoryOutcome::Refused);
        assert_eq!(of(received, Side::Remote, Reason::Missed), HistoryOutcome::Missed);
        assert_eq!(of(placed, Side::Remote, Reason::Declined(None)), HistoryOutcome::Declined);
        assert_eq!(of(placed, Side::Local, Reason::Cancelled), HistoryOutcome::Cancelled);
        assert_eq!(of(placed, Side::Remote, Reason::Busy), HistoryOutcome::Busy);
        assert_eq!(of(placed, Side::Network, Reason::NotAnswered), HistoryOutcome::NoAnswer);
        assert_eq!(of(placed, Side::Network, Reason::NoPath), HistoryOutcome::Unanswered);
    }
}
