//! How long something that is told stays.

use super::{Fault, Reason};

/// Whether whoever is told something has to do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// It is good to know, and goes away by itself.
    Passing,
    /// It is to be acted on, or concerns what may be lost: it stays until dismissed.
    Lasting,
}

impl Reason {
    /// Whether a person who is told both is told the same twice: what the system said beside it is for experts.
    pub fn says_the_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Device { fault, .. }, Self::Device { fault: theirs, .. }) => fault == theirs,
            (Self::Camera { remedy, .. }, Self::Camera { remedy: theirs, .. }) => remedy == theirs,
            (Self::Sharing { instead, .. }, Self::Sharing { instead: theirs, .. }) => instead == theirs,
            _ => self == other,
        }
    }

    /// Whether it says why our own name is not ours.
    pub const fn is_about_own_name(&self) -> bool {
        matches!(
            self,
            Self::BadName(_) | Self::NameTaken(_) | Self::NameLooksTaken { .. } | Self::NameNotHeld { .. }
        )
    }

    /// What it weighs.
    pub const fn weight(&self) -> Weight {
        match self {
            Self::HungUp
            | Self::Cancelled
            | Self::Declined(_)
            | Self::Busy
            | Self::NotAnswered
            | Self::NoReaction
            | Self::NotOnline(_)
            | Self::Missed
            | Self::Replaced
            | Self::PeerFailed
            | Self::Sharing { .. }
            | Self::Usage(_)
            | Self::BadName(_)
            | Self::BadInvite(_)
            | Self::NotBuilt(_)
            | Self::NoSuchName(_)
            | Self::NoSuchContact(_)
            | Self::Yourself
            | Self::NoNetwork
            | Self::AlreadyInCall
            | Self::CalledMeanwhile(_)
            | Self::NoCall
            | Self::NoCamera
            | Self::Camera { .. }
            | Self::Device { fault: Fault::Refused(_), .. }
            | Self::TooManyAttached => Weight::Passing,
            Self::NoPath
            | Self::ConnectionLost
            | Self::Incompatible
            | Self::NotAuthentic
            | Self::Device { .. }
            | Self::NameAmbiguous { .. }
            | Self::KeyChanged { .. }
            | Self::Blocked(_)
            | Self::NameTaken(_)
            | Self::NameLooksTaken { .. }
            | Self::NameNotHeld { .. }
            | Self::CannotBeCalled(_)
            | Self::Full(_)
            | Self::PortInUse(_)
            | Self::PortForbidden(_)
            | Self::NotOurAddress(_)
            | Self::ProfileLocked(_)
            | Self::ProfileUnreadable { .. }
            | Self::DiskFull
            | Self::ProfileTooNew(_)
            | Self::DatabaseDamaged { .. }
            | Self::Custody(_)
            | Self::Window(_)
            | Self::Internal(_) => Weight::Lasting,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reason::Remedy;
    use media::device::Direction;

    #[test]
    fn what_is_lost_or_broken_stays_and_what_is_over_passes() {
        let (why, fault) = ("unplugged".to_owned(), Fault::Gone(Direction::Capture));
        assert_eq!(Reason::Device { why: why.clone(), fault }.weight(), Weight::Lasting);
        let fault = Fault::Refused(Direction::Capture);
        assert_eq!(
            Reason::Device { why: why.clone(), fault }.weight(),
            Weight::Passing,
            "the one before is used"
        );
        assert_eq!(
            Reason::Camera { why, remedy: Remedy::PlugIn }.weight(),
            Weight::Passing,
            "the call goes on without it"
        );
        assert_eq!(Reason::DiskFull.weight(), Weight::Lasting);
        assert_eq!(Reason::AlreadyInCall.weight(), Weight::Passing);
        assert_eq!(Reason::Busy.weight(), Weight::Passing);
    }
}
