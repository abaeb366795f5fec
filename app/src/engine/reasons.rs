//! How the errors of the layers below become reasons a person understands.

use super::view::NoInvite;
use crate::{
    call::Side,
    reason::{Custody, Fault, Instead, Reason, Remedy, Word, capitalised},
    storage::{StorageError, seal::SealError},
};
use media::device::DeviceError;
use media::session::{SessionEnd, SessionError};
use media::video::driver::{CameraError, ScreenError, VideoError};
use overlay::{InviteError, LookupError, RegisterError, SendError, Username, driver::StartError};
use std::{io, net::SocketAddr};

impl From<StorageError> for Reason {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Locked(path) => Self::ProfileLocked(path.display().to_string()),
            StorageError::Io { path, why } => {
                Self::ProfileUnreadable { path: path.display().to_string(), why }
            }
            StorageError::Damaged { moved_to } => {
                Self::DatabaseDamaged { moved_to: moved_to.display().to_string() }
            }
            StorageError::NotEmpty(path) => Self::Custody(Custody::NotEmpty(path.display().to_string())),
            StorageError::Backup { path, why } => {
                Self::Custody(Custody::Unreadable { path: path.display().to_string(), why: why.to_string() })
            }
            StorageError::File { path, why } => {
                Self::Custody(Custody::File { path: path.display().to_string(), why })
            }
            StorageError::FileExists(path) => Self::Custody(Custody::FileExists(path.display().to_string())),
            StorageError::NoProfile(path) => Self::Custody(Custody::NoProfile(path.display().to_string())),
            StorageError::Sealed(path) => Self::Custody(Custody::Sealed(path.display().to_string())),
            StorageError::NotOpened { path, why } => {
                let path = path.display().to_string();
                Self::Custody(match why {
                    SealError::Refused => Custody::WrongPassphrase(path),
                    SealError::Malformed | SealError::Incompatible | SealError::TooCostly => {
                        Custody::Unreadable { path, why: why.to_string() }
                    }
                })
            }
            StorageError::Passphrase(why) => Self::Custody(Custody::Passphrase(why)),
            StorageError::TooNew(path) => Self::ProfileTooNew(path.display().to_string()),
            StorageError::Full(most) => Self::Full(most),
            StorageError::DiskFull => Self::DiskFull,
            StorageError::Database(error) => {
                Self::Internal(format!("the profile's database refused: {error}"))
            }
        }
    }
}

impl From<StartError> for Reason {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Listen { address, source }
            | StartError::ListenTcp { address, source }
            | StartError::Relay(
                relay::driver::StartError::Bind { address, source }
                | relay::driver::StartError::BindTcp { address, source },
            ) => cannot_listen(address, &source),
            StartError::Storage { path, source } => {
                Self::ProfileUnreadable { path: path.display().to_string(), why: source.to_string() }
            }
            error @ (StartError::NoPublicAddress { .. }
            | StartError::Relay(relay::driver::StartError::NoPublicAddress { .. })) => {
                Self::Usage(capitalised(&error.to_string()))
            }
            error => Self::Internal(error.to_string()),
        }
    }
}

impl From<InviteError> for Reason {
    fn from(error: InviteError) -> Self {
        Self::BadInvite(error)
    }
}

impl From<DeviceError> for Reason {
    fn from(error: DeviceError) -> Self {
        Self::Device { fault: Fault::of(&error), why: error.to_string() }
    }
}

impl From<NoInvite> for Reason {
    fn from(why: NoInvite) -> Self {
        match why {
            NoInvite::Unreadable(error) => error.into(),
            NoInvite::Refused(reason) => reason,
        }
    }
}

impl From<LookupError> for Reason {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Offline => Self::NoNetwork,
            error => Self::Internal(error.to_string()),
        }
    }
}

impl From<SendError> for Reason {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Offline => Self::NoNetwork,
            SendError::NotReachable => Self::NotOnline(Word::Lost),
            error => Self::Internal(error.to_string()),
        }
    }
}

impl From<SessionError> for Reason {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Device(error) => error.into(),
            SessionError::Video(error) => of_pictures(&error),
            SessionError::Description(why) => {
                tracing::debug!(why, "the other side's description was refused");
                Self::Incompatible
            }
            error => Self::Internal(error.to_string()),
        }
    }
}

/// Why there are no pictures of ours, or theirs are not written.
pub(super) fn of_pictures(error: &VideoError) -> Reason {
    let camera = match error {
        VideoError::Camera(camera) => camera,
        VideoError::Screen(screen) => return of_sharing(screen),
        error => return Reason::Device { why: error.to_string(), fault: Fault::Other },
    };
    let remedy = match camera {
        CameraError::NoneFound => Remedy::Connect,
        CameraError::Busy(_) => Remedy::CloseOther,
        CameraError::Denied(_) => Remedy::JoinGroup,
        CameraError::Unplugged(_) | CameraError::Silent(_) | CameraError::Damaged { .. } => Remedy::PlugIn,
        _ => Remedy::ChooseOther,
    };
    Reason::Camera { why: camera.to_string(), remedy }
}

fn of_sharing(error: &ScreenError) -> Reason {
    let instead = match error {
        ScreenError::Wayland => Instead::OtherSession,
        ScreenError::NoWindows => Instead::WholeScreen,
        ScreenError::Choice(_) => Instead::OtherName,
        ScreenError::Hidden => Instead::BringUp,
        ScreenError::Closed => Instead::OtherWindow,
        _ => Instead::OtherComputer,
    };
    Reason::Sharing { why: error.to_string(), instead }
}

/// Why a name could not be claimed.
pub(super) fn of_register(name: &Username, error: RegisterError) -> Reason {
    match error {
        RegisterError::Taken { .. } => Reason::NameTaken(name.to_string()),
        RegisterError::LooksLike { name: theirs, .. } => {
            Reason::NameLooksTaken { name: name.to_string(), theirs: theirs.to_string() }
        }
        RegisterError::Offline => Reason::NoNetwork,
        RegisterError::TooFewHolders { held_by, needed } => Reason::NameNotHeld { held_by, needed },
        error => Reason::Internal(error.to_string()),
    }
}

/// Why a session ended, and who ended it.
pub(super) fn of_session_end(end: SessionEnd) -> (Reason, Side) {
    match end {
        SessionEnd::Closed => (Reason::HungUp, Side::Local),
        SessionEnd::PeerClosed => (Reason::HungUp, Side::Remote),
        SessionEnd::NoPath => (Reason::NoPath, Side::Network),
        SessionEnd::NotAuthentic => (Reason::NotAuthentic, Side::Remote),
        SessionEnd::Lost => (Reason::ConnectionLost, Side::Network),
        SessionEnd::Device(error) => (error.into(), Side::Local),
        SessionEnd::Internal(why) => (Reason::Internal(why), Side::Local),
        _ => (Reason::Internal("the call ended in an unknown way".into()), Side::Local),
    }
}

/// Systems keep the ports below for services.
const FIRST_FREE_PORT: u16 = 1024;

fn cannot_listen(address: SocketAddr, source: &io::Error) -> Reason {
    match source.kind() {
        io::ErrorKind::AddrInUse => Reason::PortInUse(address.to_string()),
        io::ErrorKind::PermissionDenied if address.port() < FIRST_FREE_PORT => {
            Reason::PortForbidden(address.to_string())
        }
        io::ErrorKind::AddrNotAvailable => Reason::NotOurAddress(address.to_string()),
        _ => Reason::Usage(format!("Cannot listen on {address}: {source}.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_port_cannot_be_had_decides_the_advice() {
        let at = |port, kind: io::ErrorKind| cannot_listen(([0, 0, 0, 0], port).into(), &kind.into()).code();
        assert_eq!(at(443, io::ErrorKind::PermissionDenied), "port_forbidden");
        // Somebody's policy, not the number.
        assert_eq!(at(7600, io::ErrorKind::PermissionDenied), "usage");
        assert_eq!(at(7600, io::ErrorKind::AddrInUse), "port_in_use");
        assert_eq!(at(7600, io::ErrorKind::AddrNotAvailable), "not_our_address");
    }
}
