//! What a key can do: each action's label, icon and shortcut in one place.

use super::state::{Card, FirstRun, Page, Stage, UiState};
use super::text;
use crate::call::CallKind;
use crate::engine::command::{Command, Sharing};
use crate::engine::view::{CallPhase, CallView, ContactId, View};
use egui::{Key, KeyboardShortcut, Modifiers, ViewportCommand, ViewportId};
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
    /// Choose what to show of our screen.
    Share,
    /// Show it no longer.
    StopSharing,
    /// Show the other end's picture on the whole screen.
    FullScreen,
    /// Show it in the window again.
    ExitFullScreen,
    /// Show it in a small window of its own.
    SmallWindow,
    /// Show it in the window again.
    BackToWindow,
    /// Lay our own picture into the next corner.
    MoveOwn,
    /// End the call.
    HangUp,
    /// End the call before it was answered.
    Cancel,
    /// Answer the call that rings here.
    Answer,
    /// Answer one with video, and be seen.
    AnswerWithVideo,
    /// Answer it, and be heard alone.
    AnswerWithoutVideo,
    /// Decline the call that rings here.
    Decline,
    /// Say something to whoever calls, and decline.
    DeclineWith,
    /// Choose microphone and loudspeaker.
    Devices,
    /// Show the figures of the call, or hide them.
    Statistics,
    /// Show what both ends read aloud.
    Verify,
    /// The same, where keys were compared already.
    Verified,
    /// Go to the field that searches and adds.
    Search,
    /// Go to what can be chosen.
    Settings,
}

impl UiCommand {
    /// What the control says.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Mute => text::call::mute(),
            Self::Unmute => text::call::unmute(),
            Self::CameraOn => text::call::camera_on(),
            Self::CameraOff => text::call::camera_off(),
            Self::Share => text::call::share(),
            Self::StopSharing => text::call::stop_sharing(),
            Self::FullScreen => text::call::full_screen(),
            Self::ExitFullScreen => text::call::exit_full_screen(),
            Self::SmallWindow => text::call::small_window(),
            Self::BackToWindow => text::call::back_to_window(),
            Self::MoveOwn => text::call::move_own(),
            Self::HangUp => text::call::hang_up(),
            Self::Cancel => text::call::cancel(),
            Self::Answer | Self::AnswerWithVideo => text::call::answer(),
            Self::AnswerWithoutVideo => text::call::answer_without_video(),
            Self::Decline => text::call::decline(),
            Self::DeclineWith => text::reply::open(),
            Self::Devices => text::call::devices(),
            Self::Statistics => text::trend::open(),
            Self::Verify => text::call_words::verify(),
            Self::Verified => text::call_words::verified_word(),
            Self::Search => text::side::field(),
            Self::Settings => text::side::settings(),
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
            Self::FullScreen => icons::ICON_FULLSCREEN,
            Self::ExitFullScreen => icons::ICON_FULLSCREEN_EXIT,
            Self::SmallWindow => icons::ICON_PICTURE_IN_PICTURE,
            Self::BackToWindow => icons::ICON_PICTURE_IN_PICTURE_ALT,
            Self::MoveOwn => icons::ICON_DRAG_PAN,
            Self::HangUp | Self::Cancel | Self::Decline => icons::ICON_CALL_END,
            Self::DeclineWith => icons::ICON_CHAT,
            Self::Answer | Self::AnswerWithoutVideo => icons::ICON_CALL,
            Self::AnswerWithVideo => icons::ICON_VIDEOCAM,
            Self::Devices => icons::ICON_TUNE,
            Self::Statistics => icons::ICON_MONITORING,
            Self::Verify => icons::ICON_SHIELD,
            Self::Verified => icons::ICON_VERIFIED_USER,
            Self::Search => icons::ICON_SEARCH,
            Self::Settings => icons::ICON_SETTINGS,
        }
    }

    /// The key, if any. A ringing call is answered by Enter through the focus on its button, never by a key that
    /// works everywhere: nobody shall answer by accident while typing.
    pub(super) fn shortcut(self) -> Option<KeyboardShortcut> {
        let key = match self {
            Self::Mute | Self::Unmute => Key::M,
            Self::CameraOn | Self::CameraOff => Key::O,
            Self::FullScreen | Self::ExitFullScreen => {
                return Some(KeyboardShortcut::new(Modifiers::NONE, Key::F11));
            }
            Self::SmallWindow | Self::BackToWindow => Key::P,
            Self::MoveOwn => Key::L,
            Self::Share | Self::StopSharing => Key::D,
            Self::HangUp | Self::Cancel | Self::Decline => Key::E,
            Self::DeclineWith => Key::R,
            Self::Devices => Key::I,
            Self::Statistics => Key::T,
            Self::Verify | Self::Verified => Key::K,
            Self::Search => Key::F,
            Self::Settings => Key::Comma,
            Self::Answer | Self::AnswerWithVideo | Self::AnswerWithoutVideo => return None,
        };
        Some(KeyboardShortcut::new(Modifiers::COMMAND, key))
    }

    /// A second key that does the same.
    const fn other_key(self) -> Option<Key> {
        match self {
            Self::ExitFullScreen => Some(Key::Escape),
            _ => None,
        }
    }

    /// Label and key together, for tooltips.
    pub(super) fn tip(self, ctx: &egui::Context) -> String {
        match self.shortcut() {
            Some(shortcut) => format!("{} ({})", self.label(), ctx.format_shortcut(&shortcut)),
            None => self.label().to_owned(),
        }
    }

    /// The wish it stands for; none is the window's own business.
    pub(super) fn wish(self) -> Option<Command> {
        match self {
            Self::Mute => Some(Command::SetMuted(true)),
            Self::Unmute => Some(Command::SetMuted(false)),
            Self::Share => Some(Command::ListWindows),
            Self::Verify | Self::Verified => Some(Command::ShowCallWords),
            Self::StopSharing => Some(Command::Share(Sharing::Off)),
            Self::CameraOn => Some(Command::SetCamera(Camera::On)),
            Self::CameraOff => Some(Command::SetCamera(Camera::Off)),
            Self::HangUp | Self::Cancel => Some(Command::HangUp),
            Self::Answer => Some(Command::Answer),
            Self::AnswerWithVideo => Some(Command::AnswerWith(Camera::On)),
            Self::AnswerWithoutVideo => Some(Command::AnswerWith(Camera::Off)),
            Self::Decline => Some(Command::Decline),
            Self::FullScreen
            | Self::ExitFullScreen
            | Self::SmallWindow
            | Self::BackToWindow
            | Self::MoveOwn
            | Self::DeclineWith
            | Self::Devices
            | Self::Statistics
            | Self::Search
            | Self::Settings => None,
        }
    }

    /// Does it, or wishes the engine to.
    pub(super) fn perform(self, ctx: &egui::Context, state: &mut UiState, wishes: &mut Vec<Command>) {
        wishes.extend(self.wish());
        match self {
            Self::FullScreen => state.touched = state.now,
            Self::MoveOwn => state.own_corner = state.own_corner.next(),
            Self::DeclineWith => {
                state.reply.clear();
                state.raise(Card::Decline);
            }
            Self::Share => state.raise(Card::Sharing),
            Self::Devices => state.raise(Card::Devices),
            Self::Statistics => state.trend_shown = !state.trend_shown,
            Self::Verify | Self::Verified => state.raise(Card::Verify),
            Self::Search => state.focus_search = state.first_run != FirstRun::Open,
            Self::Settings if state.first_run != FirstRun::Open => state.go(Page::Settings),
            _ => {}
        }
        let stage = match self {
            Self::FullScreen => Stage::FullScreen,
            Self::SmallWindow => Stage::Apart,
            Self::ExitFullScreen | Self::BackToWindow => Stage::Window,
            _ => return,
        };
        enter(ctx, state, stage);
    }

    /// What switches a camera that is so.
    pub(super) const fn switching(camera: Camera) -> Self {
        match camera {
            Camera::On => Self::CameraOff,
            Camera::Off => Self::CameraOn,
        }
    }

    /// What takes its place once it is done.
    pub(super) const fn counterpart(self) -> Option<Self> {
        match self {
            Self::Mute => Some(Self::Unmute),
            Self::Unmute => Some(Self::Mute),
            Self::CameraOn => Some(Self::CameraOff),
            Self::CameraOff => Some(Self::CameraOn),
            Self::Share => Some(Self::StopSharing),
            Self::StopSharing => Some(Self::Share),
            _ => None,
        }
    }

    /// What closes or opens the microphone.
    pub(super) const fn muting(call: &CallView) -> Self {
        if call.muted { Self::Unmute } else { Self::Mute }
    }

    /// What ends a call.
    pub(super) const fn ending(call: &CallView) -> Self {
        match call.phase {
            CallPhase::Calling | CallPhase::Ringing => Self::Cancel,
            CallPhase::Incoming => Self::Decline,
            CallPhase::Connecting | CallPhase::Active { .. } | CallPhase::Ended { .. } => Self::HangUp,
        }
    }

    /// What answers a call that rings here; the last one is what the caller hopes for.
    const fn answers(kind: CallKind) -> &'static [Self] {
        match kind {
            CallKind::Voice => &[Self::Answer],
            CallKind::Video => &[Self::AnswerWithoutVideo, Self::AnswerWithVideo],
        }
    }

    /// What there is to do about a call that rings here. Only contacts are said anything to.
    pub(super) fn receiving(view: &View, call: &CallView) -> Vec<Self> {
        let contact = view.contacts.iter().any(|row| row.id == call.with);
        let with: &[Self] = if contact { &[Self::DeclineWith] } else { &[] };
        [&[Self::Decline], with, Self::answers(call.kind)].concat()
    }

    /// What starts or ends showing our screen; Echo has no eyes.
    pub(super) fn sharing(call: &CallView) -> Option<Self> {
        match (call.with, &call.phase, &call.sharing) {
            (ContactId::Person(_), CallPhase::Active { .. }, Sharing::Off) => Some(Self::Share),
            (ContactId::Person(_), CallPhase::Active { .. }, Sharing::Screen | Sharing::Window(_)) => {
                Some(Self::StopSharing)
            }
            _ => None,
        }
    }

    /// What moves our own picture, while there is one.
    fn moving(call: &CallView) -> Option<Self> {
        let seen = call.sharing != Sharing::Off || call.camera == Some(Camera::On);
        (seen && matches!(call.phase, CallPhase::Active { .. })).then_some(Self::MoveOwn)
    }

    /// What shows the words of a call; Echo is nobody.
    pub(super) fn verifying(view: &View, call: &CallView) -> Option<Self> {
        match (call.with, &call.phase) {
            (ContactId::Person(_), CallPhase::Active { .. }) if view.is_verified(call.with) => {
                Some(Self::Verified)
            }
            (ContactId::Person(_), CallPhase::Active { .. }) => Some(Self::Verify),
            _ => None,
        }
    }

    /// What shows the other end's picture elsewhere.
    pub(super) const fn staging(stage: Stage) -> &'static [Self] {
        match stage {
            Stage::Window => &[Self::FullScreen, Self::SmallWindow],
            Stage::FullScreen => &[Self::ExitFullScreen],
            Stage::Apart => &[Self::BackToWindow],
        }
    }

    /// What may be done at this moment; `stage` is none while no picture is shown.
    pub(super) fn offered(view: &View, stage: Option<Stage>) -> Vec<Self> {
        let Some(call) = &view.call else { return vec![Self::Search, Self::Settings] };
        let mute = Self::muting(call);
        match call.phase {
            CallPhase::Calling | CallPhase::Ringing => vec![mute, Self::Devices, Self::Cancel],
            CallPhase::Incoming => Self::receiving(view, call),
            CallPhase::Connecting | CallPhase::Active { .. } => {
                let own = [
                    Some(mute),
                    call.camera.map(Self::switching),
                    Self::sharing(call),
                    Some(Self::Devices),
                    Some(Self::Statistics),
                    Self::verifying(view, call),
                    Self::moving(call),
                    Some(Self::HangUp),
                ];
                let staging = stage.map_or(&[][..], Self::staging);
                own.into_iter().flatten().chain(staging.iter().copied()).collect()
            }
            CallPhase::Ended { .. } => Vec::new(),
        }
    }
}

/// The actions whose keys were pressed, in order.
pub(super) fn pressed(ctx: &egui::Context, view: &View, stage: Option<Stage>) -> Vec<UiCommand> {
    let offered = UiCommand::offered(view, stage);
    ctx.input_mut(|input| {
        offered
            .into_iter()
            .filter(|action| {
                let other = action.other_key().map(|key| KeyboardShortcut::new(Modifiers::NONE, key));
                [action.shortcut(), other].into_iter().flatten().any(|key| input.consume_shortcut(&key))
            })
            .collect()
    })
}

/// Shows the other end's picture there from now on.
pub(super) fn enter(ctx: &egui::Context, state: &mut UiState, stage: Stage) {
    if (state.stage == Stage::FullScreen) != (stage == Stage::FullScreen) {
        let command = ViewportCommand::Fullscreen(stage == Stage::FullScreen);
        ctx.send_viewport_cmd_to(ViewportId::ROOT, command);
    }
    if stage != Stage::Apart {
        state.apart_at = None;
    }
    state.stage = stage;
}
