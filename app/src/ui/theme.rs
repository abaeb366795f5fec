//! Design tokens: every colour, size and font the views use has its name here, once for dark and once for light.
//!
//! One accent (the green of the laurel woods of La Gomera), neutral surfaces, Inter in three weights. Every pair of
//! text and ground that occurs meets WCAG AA (4.5 to 1); a test below computes it.

use crate::engine::view::Appearance;
use egui::epaint::text::{FontTweak, VariationCoords};
use egui::{
    Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Stroke, TextStyle, Theme,
    ThemePreference, vec2,
};
use std::sync::Arc;

/// The colours of one theme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Palette {
    /// Ground of the main area.
    pub(super) ground: Color32,
    /// Ground of the side panel.
    pub(super) panel: Color32,
    /// Cards and secondary buttons.
    pub(super) surface: Color32,
    /// The same under the pointer.
    pub(super) surface_hovered: Color32,
    /// The same while pressed, and the selected row.
    pub(super) surface_pressed: Color32,
    /// The ground of text fields.
    pub(super) field: Color32,
    /// Hairlines.
    pub(super) line: Color32,
    /// Text.
    pub(super) text: Color32,
    /// Text of second rank.
    pub(super) text_muted: Color32,
    /// The accent as text, icon or line.
    pub(super) accent: Color32,
    /// The accent as a ground below [`Palette::on_fill`].
    pub(super) accent_fill: Color32,
    /// The same under the pointer.
    pub(super) accent_fill_hovered: Color32,
    /// A hint of the accent, as a ground below [`Palette::accent`].
    pub(super) accent_tint: Color32,
    /// Danger as text or icon.
    pub(super) danger: Color32,
    /// Danger as a ground below [`Palette::on_fill`].
    pub(super) danger_fill: Color32,
    /// The same under the pointer.
    pub(super) danger_fill_hovered: Color32,
    /// A hint of danger, as a ground below [`Palette::danger`].
    pub(super) danger_tint: Color32,
    /// Warning as text or icon.
    pub(super) warning: Color32,
    /// A hint of warning, as a ground below [`Palette::warning`].
    pub(super) warning_tint: Color32,
    /// Text and icons on filled grounds and avatars.
    pub(super) on_fill: Color32,
    /// Parts of a meter or of bars that are off.
    pub(super) off: Color32,
    /// The shadow below floating cards.
    pub(super) shadow: Color32,
}

/// The dark theme.
pub(super) const DARK: Palette = Palette {
    ground: Color32::from_rgb(0x14, 0x17, 0x1A),
    panel: Color32::from_rgb(0x1A, 0x1E, 0x22),
    surface: Color32::from_rgb(0x23, 0x28, 0x2D),
    surface_hovered: Color32::from_rgb(0x2B, 0x31, 0x37),
    surface_pressed: Color32::from_rgb(0x31, 0x38, 0x3F),
    field: Color32::from_rgb(0x12, 0x15, 0x18),
    line: Color32::from_rgb(0x2C, 0x32, 0x38),
    text: Color32::from_rgb(0xEE, 0xF1, 0xF3),
    text_muted: Color32::from_rgb(0xA3, 0xAD, 0xB6),
    accent: Color32::from_rgb(0x4F, 0xC9, 0xB0),
    accent_fill: Color32::from_rgb(0x12, 0x7A, 0x69),
    accent_fill_hovered: Color32::from_rgb(0x0F, 0x83, 0x70),
    accent_tint: Color32::from_rgb(0x18, 0x33, 0x30),
    danger: Color32::from_rgb(0xF2, 0x8B, 0x86),
    danger_fill: Color32::from_rgb(0xC9, 0x37, 0x37),
    danger_fill_hovered: Color32::from_rgb(0xD2, 0x3F, 0x3F),
    danger_tint: Color32::from_rgb(0x3A, 0x24, 0x25),
    warning: Color32::from_rgb(0xE8, 0xB8, 0x5C),
    warning_tint: Color32::from_rgb(0x38, 0x2F, 0x1E),
    on_fill: Color32::WHITE,
    off: Color32::from_rgb(0x3A, 0x42, 0x4A),
    shadow: Color32::from_black_alpha(110),
};

/// The light theme.
pub(super) const LIGHT: Palette = Palette {
    ground: Color32::from_rgb(0xFF, 0xFF, 0xFF),
    panel: Color32::from_rgb(0xF5, 0xF7, 0xF7),
    surface: Color32::from_rgb(0xEE, 0xF1, 0xF1),
    surface_hovered: Color32::from_rgb(0xE6, 0xEA, 0xEA),
    surface_pressed: Color32::from_rgb(0xDE, 0xE4, 0xE4),
    field: Color32::from_rgb(0xFF, 0xFF, 0xFF),
    line: Color32::from_rgb(0xDD, 0xE2, 0xE3),
    text: Color32::from_rgb(0x17, 0x1B, 0x1E),
    text_muted: Color32::from_rgb(0x55, 0x60, 0x68),
    accent: Color32::from_rgb(0x0B, 0x70, 0x60),
    accent_fill: Color32::from_rgb(0x0E, 0x7C, 0x6A),
    accent_fill_hovered: Color32::from_rgb(0x0B, 0x6E, 0x5E),
    accent_tint: Color32::from_rgb(0xE0, 0xF2, 0xEE),
    danger: Color32::from_rgb(0xB4, 0x23, 0x23),
    danger_fill: Color32::from_rgb(0xC9, 0x2F, 0x2F),
    danger_fill_hovered: Color32::from_rgb(0xB5, 0x27, 0x27),
    danger_tint: Color32::from_rgb(0xFB, 0xE9, 0xE8),
    warning: Color32::from_rgb(0x85, 0x5A, 0x06),
    warning_tint: Color32::from_rgb(0xFB, 0xF1, 0xDA),
    on_fill: Color32::WHITE,
    off: Color32::from_rgb(0xCC, 0xD3, 0xD5),
    shadow: Color32::from_black_alpha(30),
};

/// The grounds of avatars; white initials are readable on each.
pub(super) const AVATARS: [Color32; 12] = [
    Color32::from_rgb(0x2F, 0x6D, 0xB5),
    Color32::from_rgb(0x6A, 0x5A, 0xC2),
    Color32::from_rgb(0x94, 0x4D, 0xA8),
    Color32::from_rgb(0xB2, 0x43, 0x7E),
    Color32::from_rgb(0xB4, 0x4A, 0x4A),
    Color32::from_rgb(0xA6, 0x5A, 0x1E),
    Color32::from_rgb(0x45, 0x56, 0xB8),
    Color32::from_rgb(0x57, 0x76, 0x2A),
    Color32::from_rgb(0x2C, 0x7C, 0x4C),
    Color32::from_rgb(0x1B, 0x76, 0x86),
    Color32::from_rgb(0x4B, 0x67, 0x8C),
    Color32::from_rgb(0x8E, 0x3F, 0x5C),
];

/// Lengths in points.
pub(super) mod size {
    /// Space between the two lines of a row.
    pub(in crate::ui) const LINE_GAP: f32 = 3.0;
    /// Space between things that belong together.
    pub(in crate::ui) const GAP_SMALL: f32 = 4.0;
    /// The usual space.
    pub(in crate::ui) const GAP: f32 = 8.0;
    /// Space between groups.
    pub(in crate::ui) const GAP_LARGE: f32 = 16.0;
    /// Space between parts of a page.
    pub(in crate::ui) const GAP_HUGE: f32 = 28.0;
    /// Margin of the side panel.
    pub(in crate::ui) const PANEL_MARGIN: f32 = 12.0;
    /// Margin of the main area.
    pub(in crate::ui) const PAGE_MARGIN: f32 = 24.0;
    /// Margin inside cards.
    pub(in crate::ui) const CARD_MARGIN: f32 = 16.0;
    /// Width of the side panel.
    pub(in crate::ui) const SIDE_PANEL: f32 = 300.0;
    /// Widest column of text and cards.
    pub(in crate::ui) const COLUMN: f32 = 460.0;
    /// Widest column of the first-run card.
    pub(in crate::ui) const COLUMN_NARROW: f32 = 380.0;
    /// A line of text that leads.
    pub(in crate::ui) const LEAD: f32 = 22.0;
    /// Two lists side by side.
    pub(in crate::ui) const COLUMN_WIDE: f32 = 640.0;
    /// Width of our own picture.
    pub(in crate::ui) const INSET: f32 = 160.0;
    /// Height of the round controls of a call with captions of two lines, of the note below them, and of the margin.
    pub(in crate::ui) const CONTROLS: f32 = ROUND + GAP + 30.0 + GAP + CAPTION + GAP;
    /// Height of what stands above those: a line of text, and two rows, each with the space after it.
    pub(in crate::ui) const FACTS: f32 = GAP + LEAD + GAP + ROUND_SMALL + GAP + ROUND_SMALL + GAP_LARGE;
    /// Widest column of the in-call view.
    pub(in crate::ui) const STAGE: f32 = 560.0;
    /// Width of a notice.
    pub(in crate::ui) const NOTICE: f32 = 340.0;
    /// Margin inside a notice; its button stands closer to the edge than its text.
    pub(in crate::ui) const NOTICE_MARGIN: egui::Margin =
        egui::Margin { left: 16, right: 8, top: 10, bottom: 12 };
    /// Height of buttons.
    pub(in crate::ui) const BUTTON: f32 = 38.0;
    /// Side margin inside buttons.
    pub(in crate::ui) const BUTTON_MARGIN: f32 = 18.0;
    /// Side margin inside text fields.
    pub(in crate::ui) const FIELD_MARGIN: i8 = 12;
    /// Upper and lower margin inside text fields.
    pub(in crate::ui) const FIELD_MARGIN_Y: i8 = 10;
    /// Side margin of text fields where an icon or a small button is.
    pub(in crate::ui) const FIELD_ICON: i8 = 38;
    /// Width of the field of an hour.
    pub(in crate::ui) const HOUR: f32 = 76.0;
    /// Diameter of small round buttons.
    pub(in crate::ui) const ROUND_SMALL: f32 = 28.0;
    /// Diameter of the round buttons of a call.
    pub(in crate::ui) const ROUND: f32 = 60.0;
    /// Width of a round button with its caption.
    pub(in crate::ui) const ROUND_CELL: f32 = 104.0;
    /// Height of a caption of one line.
    pub(in crate::ui) const CAPTION: f32 = 18.0;
    /// Height of list rows.
    pub(in crate::ui) const ROW: f32 = 56.0;
    /// Height of rows without a second line.
    pub(in crate::ui) const ROW_SMALL: f32 = 40.0;
    /// Narrowest column beside a QR code.
    pub(in crate::ui) const COLUMN_BESIDE: f32 = 260.0;
    /// Side of QR codes.
    pub(in crate::ui) const QR: f32 = 260.0;
    /// Height of what leads to other pages.
    pub(in crate::ui) const TAB: f32 = 48.0;
    /// Width of what our camera sees outside a call.
    pub(in crate::ui) const PREVIEW: f32 = 320.0;
    /// Height of what is said at the top of a call.
    pub(in crate::ui) const BANNER: f32 = 36.0;
    /// Height of pills.
    pub(in crate::ui) const PILL: f32 = 26.0;
    /// Height of a count in a corner.
    pub(in crate::ui) const BADGE: f32 = 16.0;
    /// Side margin inside pills.
    pub(in crate::ui) const PILL_MARGIN: f32 = 10.0;
    /// Avatars in rows.
    pub(in crate::ui) const AVATAR: f32 = 38.0;
    /// Avatars on pages.
    pub(in crate::ui) const AVATAR_LARGE: f32 = 96.0;
    /// Avatars in calls.
    pub(in crate::ui) const AVATAR_CALL: f32 = 136.0;
    /// Avatars in calls, in low windows.
    pub(in crate::ui) const AVATAR_CALL_LOW: f32 = 80.0;
    /// Room around those.
    pub(in crate::ui) const RINGS_LOW: f32 = 16.0;
    /// A window lower than this gets smaller avatars in calls.
    pub(in crate::ui) const LOW_WINDOW: f32 = 560.0;
    /// Room around the avatar in calls, for the rings.
    pub(in crate::ui) const RINGS: f32 = 34.0;
    /// Key pictures.
    pub(in crate::ui) const KEY_PICTURE: f32 = 44.0;
    /// Width of a level meter.
    pub(in crate::ui) const METER: f32 = 140.0;
    /// Width of the figures of a call.
    pub(in crate::ui) const TREND: f32 = 260.0;
    /// Height of a line over time.
    pub(in crate::ui) const PLOT: f32 = 30.0;
    /// Side of the ring map.
    pub(in crate::ui) const RING_MAP: f32 = 300.0;
    /// The same where hardly anything is on it.
    pub(in crate::ui) const RING_MAP_FEW: f32 = 180.0;
    /// Thickness of a level meter.
    pub(in crate::ui) const METER_HEIGHT: f32 = 6.0;
    /// Corners of buttons, fields and rows.
    pub(in crate::ui) const CORNER: u8 = 10;
    /// Corners of cards.
    pub(in crate::ui) const CORNER_CARD: u8 = 14;
    /// Thickness of the focus ring.
    pub(in crate::ui) const FOCUS_RING: f32 = 2.0;
    /// Distance of the focus ring.
    pub(in crate::ui) const FOCUS_GAP: f32 = 2.0;
}

/// Fonts by role.
pub(super) mod font {
    use super::{FontFamily, FontId, MEDIUM, SEMIBOLD};

    /// Small print.
    pub(in crate::ui) fn caption() -> FontId {
        FontId::new(12.0, FontFamily::Proportional)
    }
    /// Words below icons.
    pub(in crate::ui) fn tiny() -> FontId {
        FontId::new(11.0, FontFamily::Proportional)
    }
    /// Small headings above lists.
    pub(in crate::ui) fn overline() -> FontId {
        FontId::new(12.0, FontFamily::Name(SEMIBOLD.into()))
    }
    /// Running text.
    pub(in crate::ui) fn body() -> FontId {
        FontId::new(14.0, FontFamily::Proportional)
    }
    /// Running text with weight: names in rows, buttons.
    pub(in crate::ui) fn strong() -> FontId {
        FontId::new(14.0, FontFamily::Name(MEDIUM.into()))
    }
    /// The line below a name in a call: timer and phase.
    pub(in crate::ui) fn lead() -> FontId {
        FontId::new(16.0, FontFamily::Proportional)
    }
    /// Headings of pages and cards.
    pub(in crate::ui) fn title() -> FontId {
        FontId::new(20.0, FontFamily::Name(SEMIBOLD.into()))
    }
    /// The name in a call.
    pub(in crate::ui) fn display() -> FontId {
        FontId::new(28.0, FontFamily::Name(SEMIBOLD.into()))
    }
    /// Fingerprints of keys.
    pub(in crate::ui) fn key() -> FontId {
        FontId::new(12.0, FontFamily::Monospace)
    }
    /// Digits to compare.
    pub(in crate::ui) fn digits() -> FontId {
        FontId::new(15.0, FontFamily::Monospace)
    }
    /// Initials in an avatar of this diameter.
    pub(in crate::ui) fn initials(diameter: f32) -> FontId {
        FontId::new((diameter * 0.38).round(), FontFamily::Name(SEMIBOLD.into()))
    }
    /// Icons of this size.
    pub(in crate::ui) fn icon(size: f32) -> FontId {
        FontId::new(size, FontFamily::Name(egui_material_icons::FONT_FAMILY.into()))
    }
    /// Icons beside running text.
    pub(in crate::ui) const ICON: f32 = 18.0;
    /// Icons beside small print.
    pub(in crate::ui) const ICON_SMALL: f32 = 15.0;
    /// Icons in the round buttons of a call.
    pub(in crate::ui) const ICON_LARGE: f32 = 28.0;
}

/// How often the window redraws at most, per cause.
pub(super) mod pace {
    use std::time::Duration;

    /// Rings around the avatar while it rings; nothing else moves then.
    pub(in crate::ui) const RINGING: Duration = Duration::from_millis(50);
    /// Pictures of the other end: as often as cameras take them.
    pub(in crate::ui) const PICTURES: Duration = Duration::from_millis(33);
    /// Level meters of a call, and everything else the engine reports during one.
    pub(in crate::ui) const LEVELS: Duration = Duration::from_millis(100);
    /// One round of the rings, in seconds.
    pub(in crate::ui) const RING_PERIOD: f64 = 2.4;
}

const MEDIUM: &str = "inter-medium";
const SEMIBOLD: &str = "inter-semibold";
const INTER: &[u8] = include_bytes!("../../../assets/fonts/Inter-roman.var.ttf");

/// The palette of the theme `ui` is drawn in.
pub(super) fn palette(ui: &egui::Ui) -> &'static Palette {
    if ui.visuals().dark_mode { &DARK } else { &LIGHT }
}

/// The shadow below floating cards.
pub(super) fn shadow(ui: &egui::Ui) -> egui::Shadow {
    shadow_of(palette(ui))
}

fn shadow_of(colors: &Palette) -> egui::Shadow {
    egui::Shadow { offset: [0, 6], blur: 24, spread: 0, color: colors.shadow }
}

/// What egui calls dark and light.
pub(super) const fn preference(appearance: Appearance) -> ThemePreference {
    match appearance {
        Appearance::System => ThemePreference::System,
        Appearance::Dark => ThemePreference::Dark,
        Appearance::Light => ThemePreference::Light,
    }
}

/// Installs fonts and both themes; call once per context.
pub(super) fn install(ctx: &egui::Context) {
    ctx.set_fonts(fonts());
    egui_material_icons::initialize(ctx);
    ctx.style_mut_of(Theme::Dark, |style| apply(style, &DARK));
    ctx.style_mut_of(Theme::Light, |style| apply(style, &LIGHT));
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let fallback = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    let weights = [
        ("inter-regular", FontFamily::Proportional, 400.0),
        (MEDIUM, FontFamily::Name(MEDIUM.into()), 500.0),
        (SEMIBOLD, FontFamily::Name(SEMIBOLD.into()), 600.0),
    ];
    for (name, family, weight) in weights {
        let tweak = FontTweak { coords: VariationCoords::new([(b"wght", weight)]), ..FontTweak::default() };
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(INTER).tweak(tweak)));
        let chain = std::iter::once(name.to_owned()).chain(fallback.iter().cloned()).collect();
        fonts.families.insert(family, chain);
    }
    fonts
}

fn apply(style: &mut egui::Style, colors: &Palette) {
    style.text_styles = [
        (TextStyle::Small, font::caption()),
        (TextStyle::Body, font::body()),
        (TextStyle::Button, font::strong()),
        (TextStyle::Heading, font::title()),
        (TextStyle::Monospace, font::key()),
    ]
    .into();
    style.animation_time = 0.12;
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.35;
    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(size::GAP, size::GAP);
    spacing.button_padding = vec2(size::BUTTON_MARGIN, size::GAP);
    spacing.window_margin = egui::Margin::same(20);
    spacing.menu_margin = egui::Margin::same(10);
    spacing.tooltip_width = 300.0;
    // Whatever goes on below the edge shows that it does.
    spacing.scroll.floating_width = 4.0;
    spacing.scroll.dormant_handle_opacity = 0.5;

    let visuals = &mut style.visuals;
    let corner = CornerRadius::same(size::CORNER);
    visuals.panel_fill = colors.ground;
    visuals.window_fill = colors.surface;
    visuals.window_stroke = Stroke::new(1.0, colors.line);
    visuals.window_corner_radius = CornerRadius::same(size::CORNER_CARD);
    visuals.menu_corner_radius = corner;
    visuals.window_shadow = shadow_of(colors);
    visuals.popup_shadow = shadow_of(colors);
    visuals.extreme_bg_color = colors.field;
    visuals.text_edit_bg_color = Some(colors.field);
    visuals.faint_bg_color = colors.panel;
    visuals.hyperlink_color = colors.accent;
    visuals.weak_text_color = Some(colors.text_muted);
    visuals.warn_fg_color = colors.warning;
    visuals.error_fg_color = colors.danger;
    visuals.selection.bg_fill = colors.accent_tint;
    visuals.selection.stroke = Stroke::new(1.0, colors.accent);
    visuals.text_cursor.stroke = Stroke::new(2.0, colors.accent);
    // A blinking cursor would repaint the window twice a second for as long as a field has focus.
    visuals.text_cursor.blink = false;
    let widgets = &mut visuals.widgets;
    widgets.noninteractive.fg_stroke = Stroke::new(1.0, colors.text);
    widgets.noninteractive.bg_stroke = Stroke::new(1.0, colors.line);
    for (widget, fill) in [
        (&mut widgets.inactive, colors.surface),
        (&mut widgets.hovered, colors.surface_hovered),
        (&mut widgets.active, colors.surface_pressed),
        (&mut widgets.open, colors.surface_pressed),
    ] {
        widget.bg_fill = fill;
        widget.weak_bg_fill = fill;
        widget.bg_stroke = Stroke::new(1.0, colors.line);
        widget.fg_stroke = Stroke::new(1.0, colors.text);
        widget.corner_radius = corner;
        widget.expansion = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.2: relative luminance and contrast ratio.
    fn contrast(a: Color32, b: Color32) -> f32 {
        let luminance = |c: Color32| {
            let [r, g, b, _] = egui::Rgba::from(c).to_array();
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_text_is_readable_on_its_ground() {
        for (theme, p) in [("dark", &DARK), ("light", &LIGHT)] {
            let grounds = [p.ground, p.panel, p.surface, p.surface_hovered, p.surface_pressed, p.field];
            let mut pairs: Vec<(Color32, Color32)> =
                grounds.iter().flat_map(|g| [(p.text, *g), (p.text_muted, *g)]).collect();
            pairs.extend(
                [p.ground, p.panel].iter().flat_map(|g| [(p.accent, *g), (p.danger, *g), (p.warning, *g)]),
            );
            pairs.extend(
                [p.danger_tint, p.accent_tint].iter().flat_map(|g| [(p.text, *g), (p.text_muted, *g)]),
            );
            pairs.extend([p.text, p.text_muted].map(|g| (p.ground, g)));
            pairs.extend([(p.accent, p.accent_tint), (p.danger, p.danger_tint), (p.warning, p.warning_tint)]);
            let fills = [p.accent_fill, p.accent_fill_hovered, p.danger_fill, p.danger_fill_hovered];
            pairs.extend(fills.iter().chain(&AVATARS).map(|g| (p.on_fill, *g)));
            for (text, ground) in pairs {
                let ratio = contrast(text, ground);
                assert!(ratio >= 4.5, "{theme}: {text:?} on {ground:?} has only {ratio:.2}:1");
            }
        }
    }
}
