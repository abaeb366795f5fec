//! Which microphone and which loudspeaker: on the page of settings, and on a card over a call, where one also chooses how
//! loud the other side is heard.

use super::card::Outcome;
use crate::engine::command::Command;
use crate::engine::view::{CallView, Settings, View};
use crate::ui::state::{EchoVerdict, Since, UiState};
use crate::ui::text::{self, call, settings as words, told};
use crate::ui::theme::{font, palette, size};
use crate::ui::widgets::{ListRow, TextButton, Tone, label, line, slider};
use egui::{Align, Id, Layout, Response, ScrollArea, Ui};
use media::device::{AudioSink, AudioSource, DeviceInfo, Direction};
use media::mix::Volume;
use std::time::Duration;

/// How often the engine is asked which devices there are, while they are shown: what is plugged in appears.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The lists on the card are no higher, so that it fits into the smallest window; they scroll.
const MOST_LIST: f32 = 215.0;

/// By how much a key changes how loud somebody is heard, in per cent.
const VOLUME_STEP: u8 = 5;

/// Microphones, then loudspeakers.
const DIRECTIONS: [Direction; 2] = [Direction::Capture, Direction::Playback];

/// One that may be chosen.
struct Choice {
    title: String,
    /// What that is at present.
    now: Option<String>,
    chosen: bool,
    command: Command,
}

/// The card over a call.
pub(super) fn card_ui(
    ui: &mut Ui,
    view: &View,
    state: &mut UiState,
    since: Since,
    wishes: &mut Vec<Command>,
) -> Outcome {
    label(ui, call::devices(), font::title(), palette(ui).text);
    ui.add_space(size::GAP);
    let top = ui.cursor().top();
    view.call.iter().for_each(|shown| broken_ui(ui, shown));
    let said = ui.cursor().top() - top;
    keep_bar_free(ui);
    ScrollArea::vertical()
        .max_height(MOST_LIST - said)
        .auto_shrink([false, true])
        .show(ui, |ui| devices_ui(ui, &view.settings, state, wishes));
    if let Some(shown) = &view.call {
        ui.add_space(size::GAP);
        volume_ui(ui, shown, wishes);
    }
    ui.add_space(size::GAP_LARGE);
    let width = ui.available_width();
    let done = ui.add(TextButton::new(words::done(), Tone::Secondary).wide(width));
    if since == Since::Now {
        done.request_focus();
    }
    if done.clicked() { Outcome::Close } else { Outcome::Stay }
}

/// What does not work, and what helps.
fn broken_ui(ui: &mut Ui, shown: &CallView) {
    let warning = palette(ui).warning;
    for why in [&shown.broken.microphone, &shown.broken.loudspeaker].into_iter().flatten() {
        label(ui, text::whole(&told::reason(why)), font::body(), warning);
        ui.add_space(size::GAP);
    }
}

/// How loud the other side is heard.
fn volume_ui(ui: &mut Ui, shown: &CallView, wishes: &mut Vec<Command>) {
    let muted = palette(ui).text_muted;
    let name = call::volume_of(&shown.name);
    let mut percent = shown.volume.percent();
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            label(ui, call::volume(percent), font::caption(), muted);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                line(ui, &name, font::overline(), muted);
            });
        });
    });
    let moved = slider(ui, &name, &mut percent, 0..=Volume::MOST.percent(), VOLUME_STEP);
    if moved.changed() {
        wishes.push(Command::SetVolume(shown.with, Volume::from_percent(percent)));
    }
}

/// Both lists side by side, each no higher than this; they scroll.
pub(super) fn beside_ui(
    ui: &mut Ui,
    settings: &Settings,
    state: &mut UiState,
    most: f32,
    wishes: &mut Vec<Command>,
) {
    look(ui, state, wishes);
    keep_bar_free(ui);
    ui.columns_const(|columns: &mut [Ui; 2]| {
        for (ui, direction) in columns.iter_mut().zip(DIRECTIONS) {
            ScrollArea::vertical()
                .id_salt(direction_title(direction))
                .max_height(most)
                .auto_shrink([false, true])
                .show(ui, |ui| {
                    // Columns justify what they hold.
                    ui.with_layout(Layout::top_down(Align::Min), |ui| {
                        let chosen = list_ui(ui, settings, direction, wishes);
                        show_once(ui, direction, chosen);
                    });
                });
        }
    });
}

/// What scrolls lies beside its bar, not under it.
fn keep_bar_free(ui: &mut Ui) {
    let scroll = &mut ui.spacing_mut().scroll;
    scroll.floating_allocated_width = scroll.bar_width;
}

/// Both lists, one below the other.
pub(super) fn devices_ui(ui: &mut Ui, settings: &Settings, state: &mut UiState, wishes: &mut Vec<Command>) {
    look(ui, state, wishes);
    for direction in DIRECTIONS {
        let _ = list_ui(ui, settings, direction, wishes);
        ui.add_space(size::GAP);
    }
}

/// What came of trying them with Echo.
pub(super) fn verdict_ui(ui: &mut Ui, verdict: EchoVerdict) {
    let colors = palette(ui);
    let (text, ink) = match verdict {
        EchoVerdict::Heard => (call::echo_heard(), colors.accent),
        EchoVerdict::Silent => (call::echo_silent(), colors.warning),
    };
    label(ui, text, font::body(), ink);
}

fn direction_title(direction: Direction) -> &'static str {
    match direction {
        Direction::Capture => words::microphone(),
        Direction::Playback => words::loudspeaker(),
    }
}

/// Scrolls to what is chosen when the list comes up with it.
fn show_once(ui: &Ui, direction: Direction, chosen: Option<(String, Response)>) {
    let id = Id::unique("device shown").with(direction_title(direction));
    let before: Option<String> = ui.data(|data| data.get_temp(id));
    if let Some((title, row)) = chosen.filter(|(title, _)| before.as_ref() != Some(title)) {
        row.scroll_to_me(None);
        ui.data_mut(|data| data.insert_temp(id, title));
    }
}

/// The choices; title and row of the chosen one.
fn list_ui(
    ui: &mut Ui,
    settings: &Settings,
    direction: Direction,
    wishes: &mut Vec<Command>,
) -> Option<(String, Response)> {
    let mut shown = None;
    let muted = palette(ui).text_muted;
    let title = direction_title(direction);
    label(ui, title, font::overline(), muted);
    for choice in choices(settings, direction) {
        let whole = match &choice.now {
            Some(now) => format!("{} ({now})", choice.title),
            None => choice.title.clone(),
        };
        let name = words::choice(title, &whole);
        let mut row = ListRow::choice(&choice.title, choice.chosen).named(&name);
        if let Some(now) = &choice.now {
            row = row.detail(now);
        }
        let row = row.show(ui);
        match choice.chosen {
            true => shown = Some((choice.title, row)),
            false if row.clicked() => wishes.push(choice.command),
            false => {}
        }
    }
    let note = match &settings.devices {
        None => Some(words::looking()),
        Some(devices) if !devices.iter().any(|device| device.direction == direction) => Some(words::none()),
        Some(_) => None,
    };
    if let Some(note) = note {
        label(ui, note, font::caption(), muted);
    }
    shown
}

/// Asks for the devices when the lists come up, and again while they stay.
fn look(ui: &Ui, state: &mut UiState, wishes: &mut Vec<Command>) {
    let due = state.listed.is_none_or(|at| state.now.saturating_duration_since(at) >= LOOK_EVERY);
    if due {
        state.listed = Some(state.now);
        wishes.push(Command::ListDevices);
    }
    ui.request_repaint_after(LOOK_EVERY);
}

/// What may be chosen: the system's own, each that is there, and what was chosen once and is not there.
fn choices(settings: &Settings, direction: Direction) -> Vec<Choice> {
    let devices: Vec<&DeviceInfo> = settings
        .devices
        .iter()
        .flatten()
        .filter(|device| device.direction == direction && !is_monitor(device))
        .collect();
    let (chosen, written) = match direction {
        Direction::Capture => (named_source(&settings.microphone), settings.microphone.to_string()),
        Direction::Playback => (named_sink(&settings.loudspeaker), settings.loudspeaker.to_string()),
    };
    let default = devices.iter().find(|device| device.is_default);
    let mut list = Vec::new();
    // Where there is nothing, the system has nothing to choose; before anything is known, it may.
    if !devices.is_empty() || settings.devices.is_none() || written == "default" {
        list.push(Choice {
            title: words::system().to_owned(),
            now: default.map(|device| device.name.clone()),
            chosen: written == "default",
            command: choose(direction, None),
        });
    }
    for (at, device) in devices.iter().enumerate() {
        let before = devices[..at].iter().filter(|other| other.name == device.name).count();
        list.push(Choice {
            title: text::numbered(&device.name, before + 1),
            now: None,
            chosen: chosen == Some(&device.id),
            command: choose(direction, Some(&device.id)),
        });
    }
    if settings.devices.is_some() && list.iter().all(|choice| !choice.chosen) {
        let title = chosen.map_or(written, |_| words::unplugged().to_owned());
        list.push(Choice { title, now: None, chosen: true, command: choose(direction, chosen) });
    }
    list
}

/// What a loudspeaker plays is offered as a microphone by some sound systems; nobody wants to be heard through it.
fn is_monitor(device: &DeviceInfo) -> bool {
    device.direction == Direction::Capture && device.id.ends_with(".monitor")
}

fn choose(direction: Direction, id: Option<&String>) -> Command {
    let id = id.cloned();
    match direction {
        Direction::Capture => Command::SetMicrophone(id.map_or(AudioSource::Default, AudioSource::Preferred)),
        Direction::Playback => Command::SetLoudspeaker(id.map_or(AudioSink::Default, AudioSink::Preferred)),
    }
}

fn named_source(source: &AudioSource) -> Option<&String> {
    match source {
        AudioSource::Device(id) | AudioSource::Preferred(id) => Some(id),
        AudioSource::Default | AudioSource::File(_) | AudioSource::Tone(_) | AudioSource::Silence => None,
    }
}

fn named_sink(sink: &AudioSink) -> Option<&String> {
    match sink {
        AudioSink::Device(id) | AudioSink::Preferred(id) => Some(id),
        AudioSink::Default | AudioSink::File(_) | AudioSink::Null => None,
    }
}
