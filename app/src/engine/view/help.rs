//! What this computer does for others.

use crate::engine::helping::Agreed;
use overlay::volunteer::Candidacy;

/// What this computer does for others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HelpView {
    /// What the person agreed to.
    pub agreed: Agreed,
    /// When that counts.
    pub counts: Counts,
    /// How far it has come; nothing where there is nothing to say.
    pub standing: Option<Candidacy>,
    /// Whom this computer helps, as last counted.
    pub helped: Helped,
    /// What it passed on in the last 30 days.
    pub totals: Totals,
}

/// When something that was chosen counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Counts {
    /// It does.
    #[default]
    Now,
    /// When the program is started the next time.
    NextStart,
}

/// Whom this computer helps, since it was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Helped {
    /// People it can ring now.
    pub leaves: usize,
    /// Bytes of other people's calls that went through it.
    pub relayed: u64,
    /// Connections through it that are open now.
    pub connections: u64,
    /// What flows through it now, in kbit/s; unknown before it was counted twice.
    pub kbps: Option<u64>,
}

/// What was passed on for others, in connections that are over. A call has one or more of them: an end each, and another
/// one where a relay failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Connections that somebody spoke through.
    pub connections: u64,
    /// Bytes, both ways.
    pub bytes: u64,
}
