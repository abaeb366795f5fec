//! Sealed envelopes.

/// Most bytes an application can put into one envelope.
pub const MAX_PAYLOAD: usize = 940;
