//! What is reported of keeping a key.

use crate::storage::Lock;
use serde_json::{Value, json};

/// What happened to a key.
#[derive(Debug, Clone)]
pub enum CustodyEvent {
    /// Whether it is sealed.
    Lock(Lock),
}

impl CustodyEvent {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Lock(_) => "lock",
        }
    }

    pub(super) fn fields(&self) -> Value {
        match self {
            Self::Lock(lock) => json!({ "sealed": lock.is_sealed() }),
        }
    }

    pub(super) fn to_line(&self) -> String {
        match self {
            Self::Lock(Lock::Sealed) => {
                "The key is sealed: each start needs the passphrase, and nobody can replace it if it is lost."
                    .into()
            }
            Self::Lock(Lock::Open) => "The key is not sealed: whoever reads this profile has it.".into(),
        }
    }
}
