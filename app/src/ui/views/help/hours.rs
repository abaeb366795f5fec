//! At which hours of the day this computer helps: at any time, or from one hour to another, typed or moved by keys.

use crate::engine::helping::hours::{End, HelpHours, NoHour, Span, Step};
use crate::ui::state::TypedHour;
use crate::ui::text::{help as words, settings};
use crate::ui::theme::{font, palette, size};
use crate::ui::views::form::{entered, left};
use crate::ui::widgets::{TextButton, Tone, label, text_width};
use egui::{Align, Id, Key, Layout, Margin, Modifiers, TextEdit, Ui, vec2};

/// Most letters of an hour.
const LONGEST: usize = 8;

/// What was chosen.
pub(super) fn hours_ui(ui: &mut Ui, now: HelpHours, typed: &mut Option<TypedHour>) -> Option<HelpHours> {
    let colors = palette(ui);
    label(ui, words::hours(), font::strong(), colors.text);
    let mut chosen = None;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(size::GAP_SMALL, size::GAP_SMALL);
        let span = match now {
            HelpHours::Always => Span::NIGHT,
            HelpHours::Daily(span) => span,
        };
        for (hours, text) in [(HelpHours::Always, words::always()), (HelpHours::Daily(span), words::daily())]
        {
            let name = settings::choice(words::hours(), text);
            let tone = if hours == now { Tone::Primary } else { Tone::Secondary };
            if ui.add(TextButton::new(text, tone).named(&name)).clicked() && hours != now {
                chosen = Some(hours);
            }
        }
    });
    if let HelpHours::Daily(span) = now {
        ui.add_space(size::GAP_SMALL);
        let ends = [(End::From, words::from()), (End::To, words::to())];
        // Below each other.
        let width = ends.map(|(_, of)| text_width(ui, of, font::body())).into_iter().fold(0.0, f32::max);
        for (end, of) in ends {
            if let Some(span) = end_ui(ui, width.ceil(), end, of, span, typed) {
                chosen = Some(HelpHours::Daily(span));
            }
        }
        let wrong = typed.as_ref().and_then(|typed| span.typed(typed.end, &typed.text).err());
        let (note, ink) = match wrong {
            None => (words::hours_text(), colors.text_muted),
            Some(NoHour::Unknown) => (words::no_hour(), colors.warning),
            Some(NoHour::Same) => (words::same_hour(), colors.warning),
        };
        label(ui, note, font::caption(), ink);
    }
    chosen
}

/// One end: what it is called in a column of this width, a field, and what moves it.
fn end_ui(
    ui: &mut Ui,
    width: f32,
    end: End,
    of: &str,
    span: Span,
    typed: &mut Option<TypedHour>,
) -> Option<Span> {
    let mut chosen = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing = vec2(size::GAP, size::GAP_SMALL);
        let column = vec2(width, size::BUTTON);
        ui.allocate_ui_with_layout(column, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_size(column);
            label(ui, of, font::body(), palette(ui).text);
        });
        chosen = field_ui(ui, end, of, span, typed);
        for (step, text) in [(Step::Earlier, words::earlier()), (Step::Later, words::later())] {
            let name = settings::choice(of, text);
            if ui.add(TextButton::new(text, Tone::Secondary).low().named(&name)).clicked() {
                *typed = None;
                chosen = Some(span.moved(end, step));
            }
        }
    });
    chosen
}

/// The hour in a field. What is typed counts when the field is left, the arrow keys at once.
fn field_ui(ui: &mut Ui, end: End, of: &str, span: Span, typed: &mut Option<TypedHour>) -> Option<Span> {
    let id = Id::unique("hour of helping").with(of);
    let steps = [(Key::ArrowUp, Step::Later), (Key::ArrowDown, Step::Earlier)];
    let has_keyboard = ui.memory(|memory| memory.has_focus(id));
    let step = steps
        .into_iter()
        .find(|(key, _)| has_keyboard && ui.input_mut(|input| input.consume_key(Modifiers::NONE, *key)));
    if step.is_some() {
        *typed = None;
    }
    let shown = typed.as_ref().filter(|typed| typed.end == end).map(|typed| typed.text.clone());
    let mut text = shown.clone().unwrap_or_else(|| words::hour(span.end(end)));
    let field = TextEdit::singleline(&mut text)
        .id(id)
        .font(font::body())
        .char_limit(LONGEST)
        .margin(Margin::symmetric(size::FIELD_MARGIN, size::FIELD_MARGIN_Y))
        .desired_width(size::HOUR);
    let field = ui.add(field).accessible_name(of);
    if field.changed() {
        *typed = Some(TypedHour { end, text: text.clone() });
    }
    if let Some((_, step)) = step {
        return Some(span.moved(end, step));
    }
    if field.lost_focus() && (shown.is_some() || field.changed()) {
        if left(ui) {
            *typed = None;
            return None;
        }
        entered(ui, &field);
        let moved = span.typed(end, &text).ok()?;
        *typed = None;
        return (moved != span).then_some(moved);
    }
    None
}
