//! The sound system, and our connections to it.
//!
//! What looks at devices shares one connection for each direction, which stays. The client under `cpal` ends one only when
//! something still comes over it after its owner has gone (`pulseaudio` 0.3.2, `Reactor::run`): the answer to the deletion
//! of a stream does, but after a mere look nothing comes. Each look would leave its connection behind, with a thread, and
//! PulseAudio takes 64. Each stream has a connection of its own: that client gives all of one
//! connection the same `sync_id`, and PulseAudio refuses those on different sinks ("Invalid argument"). A device that is there
//! and then does not open leaves its connection behind.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use cpal::traits::HostTrait;
use cpal::{ErrorKind, Host, HostId};

use super::cookie::{self, NoCookie};
use super::{DeviceError, Direction};

/// How long a server may take to say that it is there.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// The connections that look, by direction.
static KEPT: [Mutex<Option<Arc<Host>>>; 2] = [const { Mutex::new(None) }; 2];

/// PulseAudio (or PipeWire's imitation of it) if it runs and lets us in, ALSA otherwise. Not if it only has died: ALSA would
/// take the card itself, which the server then finds busy when it is back.
///
/// For looking only: see [`to_open`].
pub(super) fn to_look(direction: Direction) -> Result<Arc<Host>, DeviceError> {
    let running = cpal::available_hosts();
    let serves = |host: &HostId| running.contains(host) && (*host != HostId::PulseAudio || shows_a_cookie());
    let chosen = [HostId::PulseAudio, HostId::Alsa].into_iter().find(serves);
    let chosen = chosen.ok_or(DeviceError::None { direction })?;
    let slot = match direction {
        Direction::Capture => &KEPT[0],
        Direction::Playback => &KEPT[1],
    };
    // Whoever else wants one waits, so that there is one.
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(host) = slot.as_ref().filter(|host| host.id() == chosen) {
        match answers(host) {
            Answer::There => return Ok(Arc::clone(host)),
            // Its connection has gone with it.
            Answer::Gone => {}
            Answer::Late => return Err(DeviceError::None { direction }),
        }
    }
    let host = Arc::new(connect(chosen, direction)?);
    *slot = Some(Arc::clone(&host));
    Ok(host)
}

/// The same, to open a device that was seen there.
pub(super) fn to_open(seen: &Host, direction: Direction) -> Result<Host, DeviceError> {
    connect(seen.id(), direction)
}

fn connect(id: HostId, direction: Direction) -> Result<Host, DeviceError> {
    cpal::host_from_id(id).map_err(|error| classify(direction, &error))
}

/// Why nothing can be opened, where it is that PulseAudio runs and does not let us in, and ALSA was no way around.
pub(super) fn kept_out(direction: Direction) -> Option<DeviceError> {
    let runs = cpal::available_hosts().contains(&HostId::PulseAudio);
    let NoCookie { path, why } = cookie::driver::provide().err().filter(|_| runs)?;
    Some(DeviceError::NoCookie { direction, path, why })
}

/// Why a device cannot be opened. One that is not available was never there: ALSA has a default even without a card.
pub(super) fn classify(direction: Direction, error: &cpal::Error) -> DeviceError {
    // Ours stands within a sentence.
    let why = error.to_string().trim_end_matches('.').to_owned();
    match error.kind() {
        ErrorKind::DeviceBusy => DeviceError::Busy { direction },
        ErrorKind::PermissionDenied => DeviceError::Denied { direction },
        ErrorKind::HostUnavailable | ErrorKind::DeviceNotAvailable => DeviceError::None { direction },
        // Nothing flowed yet.
        ErrorKind::StreamInvalidated => DeviceError::Dead { direction, why },
        _ => DeviceError::Unsupported { direction, why },
    }
}

/// What a sound system says when it is asked for its devices.
enum Answer {
    There,
    Gone,
    Late,
}

/// PulseAudio's client waits for an answer for ever, and so does the thread that is asked here.
fn answers(host: &Arc<Host>) -> Answer {
    if host.id() != HostId::PulseAudio {
        return Answer::There;
    }
    let (tell, told) = mpsc::channel();
    let host = Arc::clone(host);
    let asked = thread::Builder::new().name("sound server".to_owned()).spawn(move || {
        // Who asked may have stopped waiting.
        let _ = tell.send(host.devices().is_ok());
    });
    match asked.map(|_| told.recv_timeout(ANSWERS_WITHIN)) {
        Ok(Ok(true)) => Answer::There,
        Ok(Ok(false)) => Answer::Gone,
        Ok(Err(_)) | Err(_) => Answer::Late,
    }
}

/// Whether PulseAudio lets us in. ALSA often finds a way to it, and that client does without a file; but it knows no device
/// by name, and follows none that is plugged in.
fn shows_a_cookie() -> bool {
    let provided = cookie::driver::provide();
    if let Err(NoCookie { path, why }) = &provided {
        tracing::debug!(file = %path.display(), why, "PulseAudio wants to be shown a file that cannot be made; ALSA is used");
    }
    provided.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_cannot_be_opened_is_blamed_for_what_it_is() {
        let blamed = |kind| classify(Direction::Capture, &cpal::Error::from(kind));
        let direction = Direction::Capture;
        for nobody in [ErrorKind::DeviceNotAvailable, ErrorKind::HostUnavailable] {
            assert_eq!(
                blamed(nobody),
                DeviceError::None { direction },
                "it never worked, so nothing stopped"
            );
        }
        assert_eq!(blamed(ErrorKind::DeviceBusy), DeviceError::Busy { direction });
        assert_eq!(blamed(ErrorKind::PermissionDenied), DeviceError::Denied { direction });
        assert!(
            !blamed(ErrorKind::StreamInvalidated).to_string().ends_with('.'),
            "it stands within a sentence"
        );
        assert!(matches!(blamed(ErrorKind::StreamInvalidated), DeviceError::Dead { .. }));
    }
}
