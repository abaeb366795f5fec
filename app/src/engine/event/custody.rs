//! What is reported of keeping a key.

use crate::{
    engine::{custody::Kept, words::RecoveryWords},
    storage::Lock,
};
use serde_json::{Value, json};
use std::path::PathBuf;

/// What happened to a key.
#[derive(Debug, Clone)]
pub enum CustodyEvent {
    /// Whether it is sealed.
    Lock(Lock),
    /// Everything was written into a file.
    Exported {
        /// Which.
        file: PathBuf,
        /// What is in it.
        kept: Kept,
    },
    /// The profile is the one that was exported.
    Imported {
        /// What it holds.
        kept: Kept,
        /// How its key is kept.
        lock: Lock,
    },
    /// The recovery words.
    Words(RecoveryWords),
    /// Words that were typed are the right ones.
    WordsRight,
}

impl CustodyEvent {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Lock(_) => "lock",
            Self::Exported { .. } => "exported",
            Self::Imported { .. } => "imported",
            Self::Words(_) => "words",
            Self::WordsRight => "words_right",
        }
    }

    pub(super) fn fields(&self) -> Value {
        match self {
            Self::Lock(lock) => json!({ "sealed": lock.is_sealed() }),
            Self::Exported { file, kept } => {
                let mut fields = of(kept);
                fields["file"] = json!(file.display().to_string());
                fields
            }
            Self::Imported { kept, lock } => {
                let mut fields = of(kept);
                fields["sealed"] = json!(lock.is_sealed());
                fields
            }
            Self::Words(words) => json!({ "words": words.words() }),
            Self::WordsRight => json!({}),
        }
    }

    pub(super) fn to_line(&self) -> String {
        match self {
            Self::Lock(Lock::Sealed) => {
                "The key is sealed: each start needs the passphrase, and nobody can replace it if it is lost."
                    .into()
            }
            Self::Lock(Lock::Open) => "The key is not sealed: whoever reads this profile has it.".into(),
            Self::Exported { file, kept } => format!(
                "{} is in {}, sealed with your passphrase, with {}. Whoever has both is you, so keep them apart. \
                 {ONE_COMPUTER}",
                who(kept),
                file.display(),
                lists(kept)
            ),
            Self::Imported { kept, lock } => {
                let sealed = match lock {
                    Lock::Sealed => " The key is sealed with the same passphrase: each start needs it.",
                    Lock::Open => " The key is kept unsealed, readable by you only.",
                };
                format!("This profile is {} now, with {}.{sealed} {ONE_COMPUTER}", who(kept), lists(kept))
            }
            Self::Words(words) => format!(
                "{}\nWrite them down, in this order, and keep them where nobody looks: whoever has them is you. They bring \
                 back who you are, and neither your contacts nor your history: for those, export the profile.",
                rows(words)
            ),
            Self::WordsRight => "These are the recovery words of this profile.".into(),
        }
    }
}

const ONE_COMPUTER: &str = "Do not use one identity on two computers at once: that is not supported, and each would \
                            take the other's calls.";

/// Six rows of four, numbered.
fn rows(words: &RecoveryWords) -> String {
    let numbered: Vec<String> =
        (1..).zip(words.words()).map(|(number, word)| format!("{number:>2}. {word:<8}")).collect();
    let rows: Vec<String> = numbered.chunks(4).map(|row| row.join("  ").trim_end().to_owned()).collect();
    rows.join("\n")
}

fn of(kept: &Kept) -> Value {
    json!({
        "key": kept.key.to_string(), "fingerprint": kept.key.fingerprint(), "name": kept.name,
        "contacts": kept.contacts, "calls": kept.calls,
    })
}

fn who(kept: &Kept) -> String {
    match &kept.name {
        Some(name) => format!("{name} ({})", kept.key.fingerprint()),
        None => kept.key.fingerprint(),
    }
}

fn lists(kept: &Kept) -> String {
    let count = |number: usize, one: &str| match number {
        1 => format!("1 {one}"),
        number => format!("{number} {one}s"),
    };
    format!("{} and {}", count(kept.contacts, "contact"), count(kept.calls, "past call"))
}
