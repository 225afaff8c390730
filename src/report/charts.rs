//! The charts of the report: bars and a line, as SVG text.

use plotters::coord::ranged1d::{SegmentValue, SegmentedCoord};
use plotters::prelude::*;

/// One bar: what it stands for and how long it is.
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: f64,
}

const WIDTH: u32 = 900;
const BAR_HEIGHT: u32 = 24;
const LABEL_WIDTH: u32 = 230;
const INK: RGBColor = RGBColor(38, 50, 56);
const PALE: RGBColor = RGBColor(216, 222, 226);

/// Horizontal bars from top to bottom; `tell` writes a value.
pub(super) fn bars(bars: &[Bar], colour: RGBColor, tell: &dyn Fn(f64) -> String) -> String {
    let mut svg = String::new();
    let height = BAR_HEIGHT * u32::try_from(bars.len().max(1)).unwrap_or(1) + 40;
    if bars.is_empty() || draw_bars(&mut svg, height, bars, colour, tell).is_err() {
        return String::new();
    }
    svg
}

fn draw_bars(
    svg: &mut String,
    height: u32,
    bars: &[Bar],
    colour: RGBColor,
    tell: &dyn Fn(f64) -> String,
) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(svg, (WIDTH, height)).into_drawing_area();
    let longest = bars.iter().map(|bar| bar.value).fold(1.0, f64::max);
    let count = bars.len();
    let rows: SegmentedCoord<_> = (0..count).into_segmented();
    let mut chart = ChartBuilder::on(&root)
        .margin(4)
        .x_label_area_size(28)
        .y_label_area_size(LABEL_WIDTH)
        .build_cartesian_2d(0.0..longest * 1.12, rows)?;
    // Row 0 is the lowest of the coordinate system, so the list is drawn from its end.
    let label = |row: &SegmentValue<usize>| match row {
        SegmentValue::CenterOf(row) if *row < count => bars[count - 1 - row].label.clone(),
        _ => String::new(),
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(PALE)
        .axis_style(PALE)
        .x_labels(6)
        .y_labels(count)
        .x_label_formatter(&|value| tell(*value))
        .y_label_formatter(&label)
        .label_style(("sans-serif", 13).into_font().color(&INK))
        .draw()?;
    chart.draw_series(bars.iter().rev().enumerate().map(|(row, bar)| {
        let corners = [(0.0, SegmentValue::Exact(row)), (bar.value, SegmentValue::Exact(row + 1))];
        let mut bar = Rectangle::new(corners, colour.filled());
        bar.set_margin(4, 4, 0, 0);
        bar
    }))?;
    chart.draw_series(bars.iter().rev().enumerate().map(|(row, bar)| {
        let style = ("sans-serif", 12).into_font().color(&INK);
        EmptyElement::at((bar.value, SegmentValue::CenterOf(row))) + Text::new(tell(bar.value), (5, -6), style)
    }))?;
    root.present()?;
    Ok(())
}

/// A line over time: seconds to the right.
#[must_use]
pub fn line(points: &[(f64, f64)], colour: RGBColor, tell: &dyn Fn(f64) -> String) -> String {
    let mut svg = String::new();
    if points.len() < 2 || draw_line(&mut svg, points, colour, tell).is_err() {
        return String::new();
    }
    svg
}

fn draw_line(
    svg: &mut String,
    points: &[(f64, f64)],
    colour: RGBColor,
    tell: &dyn Fn(f64) -> String,
) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(svg, (WIDTH, 260)).into_drawing_area();
    let end = points.iter().map(|point| point.0).fold(0.001, f64::max);
    let top = points.iter().map(|point| point.1).fold(1.0, f64::max);
    let mut chart =
        ChartBuilder::on(&root).margin(8).x_label_area_size(32).y_label_area_size(80).build_cartesian_2d(0.0..end, 0.0..top * 1.1)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(PALE)
        .axis_style(PALE)
        .y_labels(5)
        .x_label_formatter(&|seconds| format!("{seconds:.1} s"))
        .y_label_formatter(&|value| tell(*value))
        .label_style(("sans-serif", 13).into_font().color(&INK))
        .draw()?;
    chart.draw_series(AreaSeries::new(points.iter().copied(), 0.0, colour.mix(0.2)).border_style(colour.stroke_width(2)))?;
    root.present()?;
    Ok(())
}
