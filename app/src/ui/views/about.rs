//! What Silbo is: its version, its licence, and what to send with a report.

use crate::engine::view::{NetworkState, View};
use crate::ui::state::{Copied, UiState};
use crate::ui::text::{about as words, network};
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{TextButton, Tone, label};
use egui::Ui;
use egui_material_icons::icons;
use std::env::consts;

/// The version of this build.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Under which licences it is.
const LICENCE: &str = env!("CARGO_PKG_LICENSE");

/// What it is, and what copies the details.
pub(super) fn about_ui(ui: &mut Ui, view: &View, state: &mut UiState) {
    let colors = palette(ui);
    label(ui, words::version(VERSION), font::body(), colors.text);
    label(ui, words::what(), font::caption(), colors.text_muted);
    label(ui, words::licence(LICENCE), font::caption(), colors.text_muted);
    ui.add_space(size::GAP);
    let copy = TextButton::new(words::copy(), Tone::Secondary).icon(icons::ICON_CONTENT_COPY);
    if ui.add(copy).clicked() {
        ui.copy_text(details(view));
        state.copied = Some(Copied);
    }
    let (note, ink) = match state.copied {
        Some(Copied) => (network::copied(), colors.accent),
        None => (words::copy_text(), colors.text_muted),
    };
    label(ui, note, font::caption(), ink);
}

/// In English, for whoever mends it; nobody is named in it, and no address.
fn details(view: &View) -> String {
    let network = match &view.network {
        NetworkState::Joining => "joining".to_owned(),
        NetworkState::Online { homes } => format!("online, {homes} homes"),
        NetworkState::Offline(why) => format!("offline, {why:?}"),
    };
    let session = ["XDG_SESSION_TYPE", "XDG_CURRENT_DESKTOP"]
        .map(|name| std::env::var(name).unwrap_or_else(|_| "unknown".to_owned()))
        .join(", ");
    let lines = [
        format!("Silbo {VERSION}"),
        format!("System: {} on {}", consts::OS, consts::ARCH),
        format!("Desktop: {session}"),
        format!("Network: {network}"),
        format!("Microphone: {}", kind(&view.settings.microphone.to_string())),
        format!("Loudspeaker: {}", kind(&view.settings.loudspeaker.to_string())),
    ];
    lines.join("\n")
}

/// Whether a device was chosen, and not which: its name may be somebody's.
fn kind(chosen: &str) -> &str {
    chosen.split_once(':').map_or(chosen, |(kind, _)| kind)
}
