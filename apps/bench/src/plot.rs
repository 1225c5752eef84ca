//! A report as a picture: each figure's ratio to its yardstick, one bar each. The scale is one of
//! factors, as some are a hundredth of their yardstick and others a hundred times it.

use crate::{Figure, Report};
use anyhow::{Context, Result, anyhow};
use plotters::prelude::{
    BLACK, BLUE, ChartBuilder, Color, IntoDrawingArea, IntoLogRange, IntoSegmentedCoord, Rectangle,
    SVGBackend, SegmentValue, Text, WHITE,
};
use std::path::Path;

/// Draws the ratios of `report` into an SVG file.
///
/// # Errors
/// If there is no ratio to draw, or the file cannot be written.
pub fn plot(report: &Report, to: &Path) -> Result<()> {
    let bars: Vec<(&Figure, f64)> =
        report.figures.iter().filter_map(|figure| Some((figure, figure.ratio?))).collect();
    let most = bars.iter().map(|(_, ratio)| *ratio).fold(1.0, f64::max) * 3.0;
    let least = bars.iter().map(|(_, ratio)| *ratio).fold(1.0, f64::min) / 3.0;
    let last = i32::try_from(bars.len()).ok().and_then(|count| count.checked_sub(1));
    let last = last.filter(|last| *last >= 0).context("there is no ratio to draw")?;
    let failed = |error: &dyn std::fmt::Display| anyhow!("{}: {error}", to.display());
    let root = SVGBackend::new(to, (960, 480)).into_drawing_area();
    root.fill(&WHITE).map_err(|error| failed(&error))?;
    let mut chart = ChartBuilder::on(&root)
        .caption(format!("yufu bench {}: times the yardstick", report.bench), ("sans-serif", 20))
        .margin(16)
        .x_label_area_size(40)
        .y_label_area_size(56)
        .build_cartesian_2d((0..last).into_segmented(), (least..most).log_scale())
        .map_err(|error| failed(&error))?;
    let name = |place: &SegmentValue<i32>| match place {
        SegmentValue::CenterOf(place) | SegmentValue::Exact(place) => usize::try_from(*place)
            .ok()
            .and_then(|place| bars.get(place))
            .map_or_else(String::new, |(figure, _)| figure.name.clone()),
        SegmentValue::Last => String::new(),
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(bars.len())
        .x_label_formatter(&name)
        .axis_style(BLACK)
        .draw()
        .map_err(|error| failed(&error))?;
    let drawn = bars.iter().zip(0..).map(|((_, ratio), place): (_, i32)| {
        let corners = [
            (SegmentValue::Exact(place), least),
            (SegmentValue::Exact(place.saturating_add(1)), *ratio),
        ];
        let mut bar = Rectangle::new(corners, BLUE.filled());
        bar.set_margin(0, 0, 8, 8);
        bar
    });
    chart.draw_series(drawn).map_err(|error| failed(&error))?;
    let told = bars.iter().zip(0..).map(|((_, ratio), place): (_, i32)| {
        let above = (SegmentValue::CenterOf(place), ratio * 1.3);
        Text::new(format!("{ratio:.3}"), above, ("sans-serif", 14))
    });
    chart.draw_series(told).map_err(|error| failed(&error))?;
    root.present().map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Yardstick;

    #[test]
    fn a_picture_names_each_figure_that_has_a_ratio() {
        let yardstick = || Yardstick { name: "bare".to_owned(), value: 2.0, unit: "us" };
        let figures = vec![
            Figure::beside("one", 6.0, "us", yardstick(), "at most 2"),
            Figure::alone("alone", 1.0, "bytes", "at most 200"),
            Figure::beside("two", 1.0, "us", yardstick(), "at most 2"),
        ];
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ledger.svg");
        plot(&Report { bench: "ledger", figures }, &file).unwrap();
        let svg = std::fs::read_to_string(&file).unwrap();
        assert!(svg.contains("one") && svg.contains("two") && !svg.contains("alone"));
        let none = Report { bench: "ledger", figures: Vec::new() };
        assert!(plot(&none, &file).is_err());
    }
}
