//! What a key can do: each action's label, icon and shortcut in one place.

use super::text;
use crate::engine::command::{Command, Sharing};
use crate::engine::view::{CallPhase, CallView, ContactId, View};
use egui::{Key, KeyboardShortcut, Modifiers};
use egui_material_icons::{MaterialIcon, icons};
use media::session::Camera;

/// An action of the window that has a control on the screen and perhaps a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UiCommand {
    /// Close the microphone.
    Mute,
    /// Open the microphone.
    Unmute,
    /// Send our pictures.
    CameraOn,
    /// Send none.
    CameraOff,
    /// Show our screen.
    Share,
    /// Show it no longer.
    StopSharing,
    /// End the call.
    HangUp,
    /// End the call before it was answered.
    Cancel,
    /// Answer the call that rings here.
    Answer,
    /// Decline the call that rings here.
    Decline,
    /// Go to the field that searches and adds.
    Search,
}

impl UiCommand {
    /// What the control says.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Mute => text::call::MUTE,
            Self::Unmute => text::call::UNMUTE,
            Self::CameraOn => text::call::CAMERA_ON,
            Self::CameraOff => text::call::CAMERA_OFF,
            Self::Share => text::call::SHARE,
            Self::StopSharing => text::call::STOP_SHARING,
            Self::HangUp => text::call::HANG_UP,
            Self::Cancel => text::call::CANCEL,
            Self::Answer => text::call::ANSWER,
            Self::Decline => text::call::DECLINE,
            Self::Search => text::side::FIELD,
        }
    }

    /// What the control shows.
    pub(super) fn icon(self) -> MaterialIcon {
        match self {
            Self::Mute => icons::ICON_MIC,
            Self::Unmute => icons::ICON_MIC_OFF,
            Self::CameraOn => icons::ICON_VIDEOCAM_OFF,
            Self::CameraOff => icons::ICON_VIDEOCAM,
            Self::Share => icons::ICON_SCREEN_SHARE,
            Self::StopSharing => icons::ICON_STOP_SCREEN_SHARE,
            Self::HangUp | Self::Cancel | Self::Decline => icons::ICON_CALL_END,
            Self::Answer => icons::ICON_CALL,
            Self::Search => icons::ICON_SEARCH,
        }
    }

    /// The key, if any. A ringing call is answered by Enter through the focus on its button, never by a key that
    /// works everywhere: nobody shall answer by accident while typing.
    pub(super) fn shortcut(self) -> Option<KeyboardShortcut> {
        let key = match self {
            Self::Mute | Self::Unmute => Key::M,
            Self::CameraOn | Self::CameraOff => Key::O,
            Self::Share | Self::StopSharing => Key::D,
            Self::HangUp | Self::Cancel | Self::Decline => Key::E,
            Self::Search => Key::F,
            Self::Answer => return None,
        };
        Some(KeyboardShortcut::new(Modifiers::COMMAND, key))
    }

    /// Label and key together, for tooltips.
    pub(super) fn tip(self, ctx: &egui::Context) -> String {
        match self.shortcut() {
            Some(shortcut) => format!("{} ({})", self.label(), ctx.format_shortcut(&shortcut)),
            None => self.label().to_owned(),
        }
    }

    /// The wish it stands for; searching is the window's own business.
    pub(super) fn wish(self) -> Option<Command> {
        match self {
            Self::Mute => Some(Command::SetMuted(true)),
            Self::Unmute => Some(Command::SetMuted(false)),
            Self::Share => Some(Command::Share(Sharing::On)),
            Self::StopSharing => Some(Command::Share(Sharing::Off)),
            Self::CameraOn => Some(Command::SetCamera(Camera::On)),
            Self::CameraOff => Some(Command::SetCamera(Camera::Off)),
            Self::HangUp | Self::Cancel => Some(Command::HangUp),
            Self::Answer => Some(Command::Answer),
            Self::Decline => Some(Command::Decline),
            Self::Search => None,
        }
    }

    /// What switches a camera that is so.
    pub(super) const fn switching(camera: Camera) -> Self {
        match camera {
            Camera::On => Self::CameraOff,
            Camera::Off => Self::CameraOn,
        }
    }

    /// What starts or ends showing our screen; Echo has no eyes.
    pub(super) fn sharing(call: &CallView) -> Option<Self> {
        match (call.with, &call.phase, call.sharing) {
            (ContactId::Person(_), CallPhase::Active { .. }, Sharing::Off) => Some(Self::Share),
            (ContactId::Person(_), CallPhase::Active { .. }, Sharing::On) => Some(Self::StopSharing),
            _ => None,
        }
    }

    /// What may be done at this moment.
    pub(super) fn offered(view: &View) -> Vec<Self> {
        let Some(call) = &view.call else { return vec![Self::Search] };
        let mute = if call.muted { Self::Unmute } else { Self::Mute };
        match call.phase {
            CallPhase::Calling | CallPhase::Ringing => vec![mute, Self::Cancel],
            CallPhase::Incoming => vec![Self::Decline, Self::Answer],
            CallPhase::Connecting | CallPhase::Active { .. } => {
                let own =
                    [Some(mute), call.camera.map(Self::switching), Self::sharing(call), Some(Self::HangUp)];
                own.into_iter().flatten().collect()
            }
            CallPhase::Ended { .. } => Vec::new(),
        }
    }
}

/// The actions whose keys were pressed, in order.
pub(super) fn pressed(ctx: &egui::Context, view: &View) -> Vec<UiCommand> {
    let offered = UiCommand::offered(view);
    ctx.input_mut(|input| {
        offered
            .into_iter()
            .filter(|action| action.shortcut().is_some_and(|key| input.consume_shortcut(&key)))
            .collect()
    })
}
