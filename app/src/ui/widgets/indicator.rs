//! Things that show a state: pills, quality bars, level meters.

use super::super::theme::{font, palette, size};
use super::text_width;
use egui::accesskit::Live;
use egui::{Align2, Color32, Rect, Response, Role, Sense, Ui, Widget, WidgetInfo, pos2, vec2};
use egui_material_icons::MaterialIcon;

/// A short word on a rounded ground.
pub(in crate::ui) struct Pill<'a> {
    text: &'a str,
    /// For screen readers, which also say it when it comes.
    news: Option<&'a str>,
    icon: Option<MaterialIcon>,
    ink: Color32,
    ground: Color32,
}

impl<'a> Pill<'a> {
    /// A pill that says `text` in these colours.
    pub(in crate::ui) fn new(text: &'a str, ink: Color32, ground: Color32) -> Self {
        Self { text, news: None, icon: None, ink, ground }
    }

    /// An icon before the text.
    pub(in crate::ui) fn icon(mut self, icon: MaterialIcon) -> Self {
        self.icon = Some(icon);
        self
    }

    /// Screen readers call it so, and say it as soon as it is there.
    pub(in crate::ui) fn announced(mut self, news: &'a str) -> Self {
        self.news = Some(news);
        self
    }

    /// The width it will have.
    pub(in crate::ui) fn width(&self, ui: &Ui) -> f32 {
        let icon = if self.icon.is_some() { font::ICON_SMALL + size::GAP_SMALL } else { 0.0 };
        (icon + text_width(ui, self.text, font::caption()) + 2.0 * size::PILL_MARGIN).ceil()
    }
}

impl Widget for Pill<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let (rect, response) = ui.allocate_exact_size(vec2(self.width(ui), size::PILL), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Status, true, self.news.unwrap_or(self.text)));
        if self.news.is_some() {
            ui.accesskit_node_builder(response.id, |node| node.set_live(Live::Polite));
        }
        let painter = ui.painter();
        painter.rect_filled(rect, size::PILL / 2.0, self.ground);
        let mut x = rect.left() + size::PILL_MARGIN;
        if let Some(icon) = self.icon {
            let at = pos2(x, rect.center().y);
            painter.text(at, Align2::LEFT_CENTER, icon.codepoint, font::icon(font::ICON_SMALL), self.ink);
            x += font::ICON_SMALL + size::GAP_SMALL;
        }
        painter.text(pos2(x, rect.center().y), Align2::LEFT_CENTER, self.text, font::caption(), self.ink);
        response
    }
}

/// Four rising bars and a word, on the ground of a pill.
pub(in crate::ui) struct QualityBars<'a> {
    bars: u8,
    words: &'a [&'static str; BARS as usize],
    label: &'a str,
}

impl<'a> QualityBars<'a> {
    /// `bars` of 4 are on, at least one; `words` are those of one bar to four, and `label` is the whole sentence for screen
    /// readers.
    pub(in crate::ui) fn new(bars: u8, words: &'a [&'static str; BARS as usize], label: &'a str) -> Self {
        Self { bars: bars.clamp(1, BARS), words, label }
    }

    /// The width it will have, whatever the word.
    pub(in crate::ui) fn width(&self, ui: &Ui) -> f32 {
        let widths = self.words.iter().map(|word| text_width(ui, word, font::caption()));
        let word = widths.fold(0.0, f32::max);
        (bars_width() + size::GAP_SMALL + 2.0 + word + 2.0 * size::PILL_MARGIN).ceil()
    }
}

const BARS: u8 = 4;
const BAR_WIDTH: f32 = 3.0;
const BAR_GAP: f32 = 2.0;
const BAR_HEIGHT: f32 = 12.0;

fn bars_width() -> f32 {
    f32::from(BARS) * (BAR_WIDTH + BAR_GAP) - BAR_GAP
}

impl Widget for QualityBars<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let (rect, response) = ui.allocate_exact_size(vec2(self.width(ui), size::PILL), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Status, true, self.label));
        let colors = palette(ui);
        let painter = ui.painter();
        painter.rect_filled(rect, size::PILL / 2.0, colors.surface);
        let on = match self.bars {
            0 | 1 => colors.danger,
            2 => colors.warning,
            _ => colors.accent,
        };
        let bottom = rect.center().y + BAR_HEIGHT / 2.0;
        let mut x = rect.left() + size::PILL_MARGIN;
        for bar in 1..=BARS {
            let height = BAR_HEIGHT * f32::from(bar) / f32::from(BARS);
            let area = Rect::from_min_max(pos2(x, bottom - height), pos2(x + BAR_WIDTH, bottom));
            painter.rect_filled(area, 1.0, if bar <= self.bars { on } else { colors.off });
            x += BAR_WIDTH + BAR_GAP;
        }
        let at = pos2(x - BAR_GAP + size::GAP_SMALL + 2.0, rect.center().y);
        let word = self.words[usize::from(self.bars) - 1];
        painter.text(at, Align2::LEFT_CENTER, word, font::caption(), colors.text);
        response
    }
}

/// How loud something is.
pub(in crate::ui) struct LevelMeter<'a> {
    label: &'a str,
    level: f32,
}

impl<'a> LevelMeter<'a> {
    /// `level` from 0 to 1.
    pub(in crate::ui) fn new(label: &'a str, level: f32) -> Self {
        Self { label, level: level.clamp(0.0, 1.0) }
    }
}

impl Widget for LevelMeter<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let (rect, response) = ui.allocate_exact_size(vec2(size::METER, size::METER_HEIGHT), Sense::hover());
        response.widget_info(|| {
            let mut info = WidgetInfo::labeled(Role::Meter, true, self.label);
            info.value = Some(f64::from(self.level));
            info
        });
        let colors = palette(ui);
        let round = size::METER_HEIGHT / 2.0;
        ui.painter().rect_filled(rect, round, colors.off.gamma_multiply(0.6));
        if self.level > 0.01 {
            let filled = (rect.width() * self.level).max(size::METER_HEIGHT);
            let area = Rect::from_min_size(rect.min, vec2(filled, rect.height()));
            ui.painter().rect_filled(area, round, colors.accent);
        }
        response
    }
}
