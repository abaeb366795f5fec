//! What the tray shows of the window.

use super::command::UiCommand;
use super::text;
use crate::desktop::{Badge, TrayAction, TrayView};
use crate::engine::command::{Command, Sharing};
use crate::engine::view::{CallPhase, CallView, View};
use media::session::Camera;

/// What is to be seen there; `title` is that of the window.
pub(super) fn tray_view(view: &View, title: &str) -> TrayView {
    let call = view.call.as_ref();
    let mut menu = vec![(TrayAction::Open, text::announce::open().to_owned())];
    for action in UiCommand::offered(view, None) {
        let entry = match action {
            UiCommand::Mute => TrayAction::Mute,
            UiCommand::Unmute => TrayAction::Unmute,
            UiCommand::HangUp | UiCommand::Cancel => TrayAction::HangUp,
            _ => continue,
        };
        menu.push((entry, action.label().to_owned()));
    }
    menu.push((TrayAction::Quit, text::desktop::quit().to_owned()));
    let idle = if view.requests.is_empty() { Badge::None } else { Badge::Waiting };
    TrayView { title: title.to_owned(), badge: call.map_or(idle, badge), menu }
}

/// The wish an entry stands for; none is the window's own business.
pub(super) const fn wish(action: TrayAction) -> Option<Command> {
    match action {
        TrayAction::Mute => Some(Command::SetMuted(true)),
        TrayAction::Unmute => Some(Command::SetMuted(false)),
        TrayAction::HangUp => Some(Command::HangUp),
        TrayAction::Open | TrayAction::Quit => None,
    }
}

/// What others hear and see of us.
fn badge(call: &CallView) -> Badge {
    let seen = call.sharing != Sharing::Off || call.camera == Some(Camera::On);
    match call.phase {
        CallPhase::Active { .. } if seen => Badge::Seen,
        CallPhase::Active { .. } if call.muted => Badge::Muted,
        CallPhase::Active { .. } => Badge::Live,
        CallPhase::Ended { .. } => Badge::None,
        CallPhase::Calling | CallPhase::Ringing | CallPhase::Incoming | CallPhase::Connecting => {
            Badge::Calling
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::view::ContactId;
    use overlay::Identity;
    use std::time::Instant;

    fn shown(phase: CallPhase, change: impl FnOnce(&mut CallView)) -> TrayView {
        let mut view = View::new(Identity::from_secret([7; 32]).public_key());
        let mut call = CallView::new(ContactId::Echo, "Echo".to_owned(), phase);
        change(&mut call);
        view.call = Some(call);
        tray_view(&view, "Silbo")
    }

    fn actions(view: &TrayView) -> Vec<TrayAction> {
        view.menu.iter().map(|(action, _)| *action).collect()
    }

    #[test]
    fn the_badge_tells_what_others_hear_and_see() {
        let active = || CallPhase::Active { since: Instant::now() };
        assert_eq!(shown(CallPhase::Incoming, |_| {}).badge, Badge::Calling);
        assert_eq!(shown(active(), |_| {}).badge, Badge::Live);
        assert_eq!(shown(active(), |call| call.muted = true).badge, Badge::Muted);
        assert_eq!(shown(active(), |call| call.camera = Some(Camera::On)).badge, Badge::Seen);
        let both = |call: &mut CallView| (call.muted, call.sharing) = (true, Sharing::Screen);
        assert_eq!(shown(active(), both).badge, Badge::Seen);
    }

    #[test]
    fn the_menu_offers_what_the_window_does() {
        use TrayAction::{HangUp, Mute, Open, Quit, Unmute};
        let active = || CallPhase::Active { since: Instant::now() };
        assert_eq!(actions(&shown(active(), |_| {})), [Open, Mute, HangUp, Quit]);
        assert_eq!(actions(&shown(active(), |call| call.muted = true)), [Open, Unmute, HangUp, Quit]);
        assert_eq!(actions(&shown(CallPhase::Incoming, |_| {})), [Open, Quit]);
    }
}
