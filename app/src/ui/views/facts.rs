//! What is known of a call while it lasts, and what can be looked into: two rows, as high from the first ring to the end.

use crate::engine::command::Command;
use crate::engine::view::{CallPhase, CallView, PathView, View};
use crate::ui::command::UiCommand;
use crate::ui::state::{Compared, UiState};
use crate::ui::text::{self, call as words, told};
use crate::ui::theme::{font, pace, palette, size};
use crate::ui::widgets::{LevelMeter, Pill, QualityBars, RoundButton, TextButton, Tone, centered_row, label};
use egui::{Ui, Widget, vec2};
use egui_material_icons::{MaterialIcon, icons};
use media::session::Reception;

/// Both rows.
pub(super) fn facts_ui(
    ui: &mut Ui,
    view: &View,
    call: &CallView,
    state: &mut UiState,
    wishes: &mut Vec<Command>,
) {
    status_ui(ui, call);
    ui.add_space(size::GAP);
    tools_ui(ui, view, call, state, wishes);
}

/// Path, quality and the own microphone; while nothing comes, that Silbo looks for it in the place of both. Nothing moves sideways when the quality has another word.
fn status_ui(ui: &mut Ui, call: &CallView) {
    let colors = palette(ui);
    let silent = is_silent(call).then(|| words::nothing_comes(&call.name));
    let silent = silent.as_deref().map(|news| reconnecting(ui, news));
    let path = call.path.as_ref().filter(|_| silent.is_none()).map(|path| {
        let (ink, ground) = match path {
            PathView::Relayed => (colors.warning, colors.warning_tint),
            PathView::Local | PathView::Direct => (colors.accent, colors.accent_tint),
        };
        (path, Pill::new(words::path(path), ink, ground).icon(path_icon(path)))
    });
    let qualities = words::qualities();
    // Nothing comes, or nothing is heard from either end: how it sounds means nothing.
    let dead = call.broken.microphone.is_some() && call.broken.loudspeaker.is_some();
    let known = call.quality.filter(|_| silent.is_none() && !dead);
    let quality_label = known.map(|quality| words::quality_label(quality.bars)).unwrap_or_default();
    let quality = known.map(|quality| (quality, QualityBars::new(quality.bars, &qualities, &quality_label)));
    let muted = Pill::new(words::muted(), colors.danger, colors.danger_tint).icon(icons::ICON_MIC_OFF);
    let microphone = match call.muted {
        true => muted.width(ui),
        false => font::ICON + size::GAP_SMALL + size::METER,
    };
    let mut widths = Vec::new();
    widths.extend(silent.as_ref().map(|pill| pill.width(ui)));
    widths.extend(path.as_ref().map(|(_, pill)| pill.width(ui)));
    widths.extend(quality.as_ref().map(|(_, bars)| bars.width(ui)));
    widths.push(microphone);
    centered_row(ui, &widths, size::ROUND_SMALL, size::GAP, |ui| {
        if let Some(pill) = silent {
            ui.add(pill);
        }
        if let Some((path, pill)) = path {
            ui.add(pill).on_hover_text(words::path_tip(path));
        }
        if let Some((quality, bars)) = quality {
            ui.add(bars).on_hover_text(words::quality_tip(&quality));
        }
        match call.muted {
            true => drop(ui.add(muted)),
            false => microphone_ui(ui, call),
        }
    });
}

/// Whether nothing comes from the other end of a call that is under way.
pub(super) fn is_silent(call: &CallView) -> bool {
    matches!(call.phase, CallPhase::Active { .. }) && call.reception == Reception::Silence
}

/// That another way is sought; screen readers say the whole sentence.
pub(super) fn reconnecting<'a>(ui: &Ui, news: &'a str) -> Pill<'a> {
    let colors = palette(ui);
    Pill::new(words::reconnecting(), colors.warning, colors.warning_tint)
        .icon(icons::ICON_SYNC)
        .announced(news)
}

fn path_icon(path: &PathView) -> MaterialIcon {
    match path {
        PathView::Local => icons::ICON_COMPUTER,
        PathView::Direct => icons::ICON_SWAP_HORIZ,
        PathView::Relayed => icons::ICON_HUB,
    }
}

/// How loud the own microphone is, also for whoever waits for an answer: it is open, though nobody hears it yet.
fn microphone_ui(ui: &mut Ui, call: &CallView) {
    ui.ctx().request_repaint_after(pace::LEVELS);
    let muted = palette(ui).text_muted;
    ui.spacing_mut().item_spacing.x = size::GAP_SMALL;
    ui.label(icons::ICON_MIC.rich_text().size(font::ICON).color(muted));
    LevelMeter::new(words::mic(), call.mic_level).ui(ui).on_hover_text(words::mic());
}

/// What can be looked into while one talks; before, what is being done meanwhile.
fn tools_ui(ui: &mut Ui, view: &View, call: &CallView, state: &mut UiState, wishes: &mut Vec<Command>) {
    if !matches!(call.phase, CallPhase::Active { .. }) {
        let muted = palette(ui).text_muted;
        ui.allocate_ui(vec2(ui.available_width(), size::ROUND_SMALL), |ui| {
            ui.set_min_height(size::ROUND_SMALL);
            let detail = match &call.waiting {
                Some(waiting) => text::whole(&told::waiting(*waiting)),
                None => words::phase_detail(&call.phase).to_owned(),
            };
            label(ui, detail, font::body(), muted);
        });
        return;
    }
    let known = [Some(UiCommand::Devices), Some(UiCommand::Statistics), UiCommand::verifying(view, call)];
    let staging = if state.picture.is_some() { UiCommand::staging(state.stage) } else { &[] };
    let tools: Vec<UiCommand> = known.into_iter().flatten().chain(staging.iter().copied()).collect();
    tools_row_ui(ui, &tools, state, wishes);
}

/// These side by side; by their icons alone where the window is too narrow for words.
pub(super) fn tools_row_ui(ui: &mut Ui, tools: &[UiCommand], state: &mut UiState, wishes: &mut Vec<Command>) {
    let tone = |tool| match (tool, state.compared) {
        (UiCommand::Verify, Compared::Differ) => Tone::Danger,
        _ => Tone::Quiet,
    };
    let tones: Vec<Tone> = tools.iter().map(|tool| tone(*tool)).collect();
    let button = |tool: UiCommand, tone| TextButton::new(tool.label(), tone).icon(tool.icon()).low();
    let mut widths: Vec<f32> = tools.iter().map(|tool| button(*tool, Tone::Quiet).width(ui)).collect();
    let total = widths.iter().sum::<f32>() + size::GAP * tools.len().saturating_sub(1) as f32;
    let worded = total <= ui.available_width();
    if !worded {
        widths.fill(size::ROUND_SMALL);
    }
    centered_row(ui, &widths, size::ROUND_SMALL, size::GAP, |ui| {
        for (tool, tone) in tools.iter().zip(tones) {
            let tip = tool.tip(ui.ctx());
            let response = match worded {
                true => ui.add(button(*tool, tone)).on_hover_text(tip),
                false => ui.add(RoundButton::small(tool.label(), tool.icon()).toned(tone).tip(tip)),
            };
            if response.clicked() {
                tool.perform(ui.ctx(), state, wishes);
            }
        }
    });
}
