//! An evaluation for people to read.

use super::evaluation::Evaluation;
use crate::distances::Distances;
use crate::table::{digits, section};
use std::fmt::Write as _;

impl Evaluation {
    pub fn text(&self) -> String {
        let mut text = String::new();
        let what = match (&self.settings, self.steps) {
            (Some(settings), Some(steps)) => format!(", {settings}, {steps} steps"),
            _ => String::new(),
        };
        let _ = writeln!(text, "{}{what}", self.subject);
        let _ = writeln!(
            text,
            "{} images, {} of them different, read by the judge {}\n",
            self.samples, self.different, self.judge
        );
        match &self.report {
            Some(table) => {
                let _ = writeln!(text, "These images\n\n{}", table.report.text(4));
            }
            None => {
                let _ = writeln!(
                    text,
                    "The model is told no digit, so none of its images is right or wrong, and there is no report.\n"
                );
            }
        }
        let ceiling = &self.ceiling.report;
        let count = ceiling.macro_average.support;
        let _ = writeln!(text, "{count} real test images, read alike: the ceiling\n\n{}", ceiling.text(4));
        self.figures(&mut text);
        text.truncate(text.trim_end().len());
        text + "\n"
    }

    fn figures(&self, text: &mut String) {
        let shares: [String; 10] = self.read.shares.map(|share| format!("{:.1} %", 100.0 * share));
        let title = format!("Digits read: entropy {:.3} of at most {:.3} nats", self.read.entropy, 10f64.ln());
        section(text, &title, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], &[shares]);

        let (own, floor) = (&self.distances, &self.floor);
        let title = format!(
            "In the judge's features, {} images against {} real test images; the floor is {} real training images",
            own.images, own.test_images, floor.images
        );
        let row = |name: &str, of: fn(&Distances) -> f64| [name.into(), digits(of(own)), digits(of(floor))];
        let spread = |d: &Distances| format!("{} ± {}", digits(d.kid), digits(d.kid_deviation));
        let rows = [
            row("Fréchet distance (FD)", |d| d.fd),
            ["kernel distance (KID)".into(), spread(own), spread(floor)],
            row("precision", |d| d.precision),
            row("recall", |d| d.recall),
            row("density", |d| d.density),
            row("coverage", |d| d.coverage),
        ];
        section(text, &title, ["", "images", "floor"], &rows);

        let memory = &self.memory;
        let title = format!("In pixels, the nearest of {} training images", memory.training_images);
        let ratio = memory.ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
        let rows = [
            ["mean distance".into(), digits(memory.distance), digits(memory.real)],
            ["relative".into(), ratio, "1".into()],
            ["nearer than all but 1 % of real ones".into(), format!("{:.1} %", 100.0 * memory.close), String::new()],
            ["copies, pixel by pixel".into(), memory.copies.to_string(), String::new()],
        ];
        section(text, &title, ["", "images", "real test images"], &rows);

        if let Some(cas) = &self.cas {
            let title = format!(
                "Classification accuracy score, taught with {} images in {} steps, of real test images",
                cas.images, cas.steps
            );
            let percent = |share: f64| format!("{:.2} %", 100.0 * share);
            let rows =
                [["these images".into(), percent(cas.score)], ["real training images".into(), percent(cas.real)]];
            section(text, &title, ["taught with", "read right"], &rows);
        }
    }
}
