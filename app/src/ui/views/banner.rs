//! What nobody may overlook in a call, at its top: that somebody may be listening, that our screen is shown, that our
//! microphone gives nothing, and what does not work, for as long as it does not. Nothing else moves when it comes or goes but what would be covered.

use crate::engine::command::{Command, Sharing};
use crate::engine::microphone::MicrophoneSign;
use crate::engine::view::{CallPhase, CallView};
use crate::reason::{Fault, Reason};
use crate::ui::command::UiCommand;
use crate::ui::state::{Compared, UiState};
use crate::ui::text::{call as words, call_words};
use crate::ui::theme::{font, palette, shadow, size};
use crate::ui::widgets::{TextButton, Tone};
use egui::{Align, Align2, Area, CornerRadius, Frame, Id, Label, Layout, Margin, Order, RichText};
use egui::{Stroke, TextWrapMode, Ui, vec2};
use egui_material_icons::{MaterialIcon, icons};

/// One of them, and what its button does.
struct Banner {
    text: &'static str,
    icon: MaterialIcon,
    button: &'static str,
    action: UiCommand,
}

/// Draws those there are.
pub(super) fn banners_ui(ui: &Ui, call: &CallView, state: &mut UiState, wishes: &mut Vec<Command>) {
    for (at, banner) in banners(call, state).into_iter().enumerate() {
        if banner_ui(ui, &banner, at) {
            banner.action.perform(ui.ctx(), state, wishes);
        }
    }
}

/// How much they take of the top of the window, the space above and between them included.
pub(super) fn banners_height(call: &CallView, state: &UiState) -> f32 {
    banners(call, state).len() as f32 * STEP
}

/// From the top of one to the top of the next.
const STEP: f32 = size::BANNER + size::GAP;

fn banners(call: &CallView, state: &UiState) -> Vec<Banner> {
    let active = matches!(call.phase, CallPhase::Active { .. });
    let differing = (state.compared == Compared::Differ).then(|| Banner {
        text: call_words::differed(),
        icon: icons::ICON_GPP_BAD,
        button: call_words::compare_again(),
        action: UiCommand::Verify,
    });
    let sharing = match call.sharing {
        _ if !active => None,
        Sharing::Off => None,
        Sharing::Screen => Some(words::sharing_screen()),
        Sharing::Window(_) => Some(words::sharing_window()),
    };
    let sharing = sharing.map(|text| Banner {
        text,
        icon: icons::ICON_SCREEN_SHARE,
        button: words::stop(),
        action: UiCommand::StopSharing,
    });
    let microphone = match &call.broken.microphone {
        Some(Reason::Device { fault: Fault::Gone(_), .. }) => Some(words::microphone_gone()),
        Some(_) => Some(words::microphone_dead()),
        // Whoever is muted knows why nothing is heard.
        None if active && call.microphone == MicrophoneSign::Silent && !call.muted => {
            Some(words::microphone_silent())
        }
        None => None,
    };
    let loudspeaker = match &call.broken.loudspeaker {
        Some(Reason::Device { fault: Fault::Gone(_), .. }) => Some(words::loudspeaker_gone()),
        Some(_) => Some(words::loudspeaker_dead()),
        None => None,
    };
    let device =
        |text, icon| Banner { text, icon, button: words::check_devices(), action: UiCommand::Devices };
    let microphone = microphone.map(|text| device(text, icons::ICON_MIC_ALERT));
    let loudspeaker = loudspeaker.map(|text| device(text, icons::ICON_VOLUME_OFF));
    [differing, sharing, microphone, loudspeaker].into_iter().flatten().collect()
}

/// Draws one; true when its button was pressed.
fn banner_ui(ui: &Ui, banner: &Banner, at: usize) -> bool {
    let colors = palette(ui);
    let (ink, ground) = match banner.action {
        UiCommand::Devices => (colors.warning, colors.warning_tint),
        UiCommand::Verify => (colors.danger, colors.danger_tint),
        _ => (colors.accent, colors.accent_tint),
    };
    let offset = vec2(0.0, size::GAP + at as f32 * STEP);
    Area::new(Id::unique("banner").with(banner.text))
        .order(Order::Middle)
        .anchor(Align2::CENTER_TOP, offset)
        .show(ui.ctx(), |ui| {
            Frame::new()
                .fill(ground)
                .stroke(Stroke::new(1.0, colors.line))
                .corner_radius(CornerRadius::same((size::BANNER / 2.0) as u8))
                .shadow(shadow(ui))
                .inner_margin(Margin::symmetric(size::GAP_LARGE as i8, 0))
                .show(ui, |ui| {
                    let row = Layout::left_to_right(Align::Center);
                    ui.allocate_ui_with_layout(vec2(0.0, size::BANNER), row, |ui| {
                        ui.spacing_mut().item_spacing.x = size::GAP;
                        ui.label(banner.icon.rich_text().size(font::ICON).color(ink));
                        let text = RichText::new(banner.text).font(font::strong()).color(ink);
                        ui.add(Label::new(text).wrap_mode(TextWrapMode::Extend));
                        let tip = banner.action.tip(ui.ctx());
                        let button = TextButton::new(banner.button, Tone::Secondary).low();
                        ui.add(button).on_hover_text(tip).clicked()
                    })
                    .inner
                })
                .inner
        })
        .inner
}
