//! The grid as a picture: plain SVG that is readable on light and on dark pages.

use super::{Outcome, Square};
use relay::nat::Uplink;
use std::fmt::Write as _;

const CELL_WIDTH: usize = 92;
const CELL_HEIGHT: usize = 40;
const LABELS: usize = 92;
const TOP: usize = 30;
const LEGEND: usize = 56;

const STYLE: &str = "
  text { font: 12px system-ui, sans-serif; fill: #1b1f24; }
  .small { font-size: 11px; }
  .page { fill: #ffffff; }
  .none { fill: #f1f3f5; }
  .direct { fill: #bfe8c9; }
  .udp { fill: #fbe3a8; }
  .tcp { fill: #f7c9a3; }
  .failed { fill: #f2a6a6; }
  .short { stroke: #b3261e; stroke-width: 2; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6e9ec; }
    .page { fill: #15181c; }
    .none { fill: #1f242a; }
    .direct { fill: #1f5c33; }
    .udp { fill: #6b5312; }
    .tcp { fill: #74401a; }
    .failed { fill: #7d2525; }
    .short { stroke: #ff8a80; }
  }
";

/// Draws all cells, each once, right of and above the diagonal.
pub(super) fn draw(squares: &[Square]) -> String {
    let count = Uplink::ALL.len();
    let (width, height) = (LABELS + count * CELL_WIDTH + 4, TOP + count * CELL_HEIGHT + LEGEND);
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">
<title>Calls between two uplinks of every kind: the way they took, in how many runs, and the median time from calling to sound</title>
<style>{STYLE}</style>
<rect class="page" width="{width}" height="{height}"/>
"#
    );
    for (nth, uplink) in Uplink::ALL.into_iter().enumerate() {
        let (middle, line) =
            (LABELS + nth * CELL_WIDTH + CELL_WIDTH / 2, TOP + nth * CELL_HEIGHT + CELL_HEIGHT / 2 + 4);
        let _ = writeln!(svg, r#"<text x="{middle}" y="20" text-anchor="middle">{uplink}</text>"#);
        let _ = writeln!(svg, r#"<text x="{}" y="{line}" text-anchor="end">{uplink}</text>"#, LABELS - 8);
    }
    for (row, one) in Uplink::ALL.into_iter().enumerate() {
        for (column, other) in Uplink::ALL.into_iter().enumerate().skip(row) {
            let square = squares.iter().find(|square| (square.cell.one, square.cell.other) == (one, other));
            draw_cell(&mut svg, row, column, square);
        }
    }
    draw_legend(&mut svg, TOP + count * CELL_HEIGHT + 16);
    svg.push_str("</svg>\n");
    svg
}

fn draw_cell(svg: &mut String, row: usize, column: usize, square: Option<&Square>) {
    let (x, y) = (LABELS + column * CELL_WIDTH + 1, TOP + row * CELL_HEIGHT + 1);
    let (width, height) = (CELL_WIDTH - 2, CELL_HEIGHT - 2);
    let mut class = square.map_or("none", |square| class(square.became)).to_owned();
    if square.is_some_and(Square::fell_short) {
        class.push_str(" short");
    }
    let _ =
        writeln!(svg, r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}" rx="3"/>"#);
    let Some(square) = square else { return };
    let middle = x + width / 2;
    let setup = square.median_setup_ms.map(|ms| format!(" · {ms} ms")).unwrap_or_default();
    let (first, second) = (y + 16, y + 31);
    let _ = writeln!(svg, r#"<text x="{middle}" y="{first}" text-anchor="middle">{}</text>"#, square.became);
    let _ = writeln!(
        svg,
        r#"<text class="small" x="{middle}" y="{second}" text-anchor="middle">{}/{}{setup}</text>"#,
        square.agreed,
        square.runs.len()
    );
}

fn draw_legend(svg: &mut String, y: usize) {
    let entries = [
        (Outcome::Direct, "direct, host to host"),
        (Outcome::RelayedUdp, "relayed by UDP"),
        (Outcome::RelayedTcp, "relayed by TCP 443 on one side"),
        (Outcome::Failed, "failed"),
    ];
    let mut x = LABELS;
    for (outcome, words) in entries {
        let _ = writeln!(
            svg,
            r#"<rect class="{}" x="{x}" y="{y}" width="14" height="14" rx="3"/>"#,
            class(outcome)
        );
        let _ = writeln!(svg, r#"<text class="small" x="{}" y="{}">{words}</text>"#, x + 20, y + 11);
        x += 44 + 6 * words.len();
    }
    let _ = writeln!(
        svg,
        r#"<text class="small" x="{LABELS}" y="{}">runs that went this way, and their median time from calling to sound; framed: less than theory allows without guessing a port</text>"#,
        y + 30
    );
}

const fn class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Direct => "direct",
        Outcome::RelayedUdp => "udp",
        Outcome::RelayedTcp => "tcp",
        Outcome::Failed => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::super::Cell;
    use super::*;

    #[test]
    fn every_cell_is_drawn_once_and_what_falls_short_is_framed() {
        let squares: Vec<Square> =
            Cell::all().into_iter().map(|cell| Square::new(cell, Vec::new())).collect();
        let svg = draw(&squares);
        assert_eq!(svg.matches(r#"class="failed short""#).count(), 36);
        assert_eq!(svg.matches("<rect").count(), 36 + 1 + 4);
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn a_cell_that_was_not_played_is_left_empty() {
        let svg = draw(&[]);
        assert_eq!(svg.matches(r#"class="none""#).count(), 36);
    }
}
