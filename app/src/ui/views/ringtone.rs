//! How loud it rings, and how that sounds.

use crate::engine::command::Command;
use crate::ui::text::{ringtone as words, settings};
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{TextButton, Tone, label};
use egui::{Ui, vec2};
use egui_material_icons::icons;
use media::tones::Loudness;

/// The choice, and what plays it.
pub(super) fn ringtone_ui(ui: &mut Ui, now: Loudness, wishes: &mut Vec<Command>) {
    label(ui, words::title(), font::strong(), palette(ui).text);
    ui.add_space(size::GAP_SMALL);
    let choices = [
        (Loudness::Silent, words::silent()),
        (Loudness::Quiet, words::quiet()),
        (Loudness::Usual, words::usual()),
        (Loudness::Loud, words::loud()),
    ];
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(size::GAP_SMALL, size::GAP_SMALL);
        for (loudness, title) in choices {
            let name = settings::choice(words::title(), title);
            let tone = if loudness == now { Tone::Primary } else { Tone::Secondary };
            if ui.add(TextButton::new(title, tone).named(&name)).clicked() && loudness != now {
                wishes.push(Command::SetRingtone(loudness));
            }
        }
        let play = TextButton::new(words::play(), Tone::Quiet).icon(icons::ICON_PLAY_ARROW);
        // What is silent is not heard.
        if now != Loudness::Silent && ui.add(play).clicked() {
            wishes.push(Command::TryRingtone);
        }
    });
}
