//! What is told on stderr while it works: a bar on a terminal, now and then a line elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// Between two lines where there is no terminal.
const PATIENCE: Duration = Duration::from_secs(5);

pub struct Progress {
    bar: Option<ProgressBar>,
    what: &'static str,
    first: u64,
    total: u64,
    began: Instant,
    told: Instant,
}

impl Progress {
    /// From `first` to `total` of `what`.
    pub fn new(what: &'static str, first: u64, total: u64) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10));
            // A template that indicatif can't read leaves its own style, which is a bar too.
            if let Ok(style) = ProgressStyle::with_template("{bar:16} {wide_msg}") {
                bar.set_style(style.progress_chars("━━╌"));
            }
            bar
        });
        let now = Instant::now();
        Progress { bar, what, first, total, began: now, told: now }
    }

    /// `done` of all, and what else there is to say.
    pub fn tell(&mut self, done: u64, remark: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(self.line(done, remark));
            bar.set_position(done);
        } else if self.told.elapsed() >= PATIENCE {
            self.told = Instant::now();
            note(&self.line(done, remark));
        }
    }

    fn line(&self, done: u64, remark: &str) -> String {
        let Progress { what, first, total, .. } = *self;
        let rate = (done - first) as f64 / self.began.elapsed().as_secs_f64().max(1e-9);
        let pace = if rate < 10.0 { format!("{rate:.2}/s") } else { format!("{rate:.0}/s") };
        let left = duration((total - done) as f64 / rate);
        format!("{what} {done} of {total} · {pace}{remark} · {left} left")
    }

    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A line on stderr. Nobody to read it is no reason to stop.
pub fn note(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}

/// `48 s`, `3 min 20 s`, `2 h 05 min`.
fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "?".into();
    }
    let seconds = seconds.ceil() as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        for (seconds, text) in [(0.2, "1 s"), (59.9, "1 min 00 s"), (200.0, "3 min 20 s"), (7500.0, "2 h 05 min")] {
            assert_eq!(duration(seconds), text);
        }
        assert_eq!(duration(f64::NAN), "?");
        assert_eq!(duration(f64::INFINITY), "?");
    }
}
