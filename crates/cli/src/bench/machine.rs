//! What figures depend on: the processor, and how busy it is.

use serde::Serialize;
use std::fs::read_to_string;
use std::thread::available_parallelism;

#[derive(Serialize)]
pub struct Machine {
    /// The processor's name, where the system tells it.
    pub processor: Option<String>,
    /// Threads that this process may use at a time.
    pub threads: usize,
    pub architecture: &'static str,
    pub system: &'static str,
}

impl Machine {
    pub fn here() -> Self {
        Machine {
            processor: read_to_string("/proc/cpuinfo").ok().and_then(|text| model(&text)),
            threads: available_parallelism().map_or(1, usize::from),
            architecture: std::env::consts::ARCH,
            system: std::env::consts::OS,
        }
    }

    pub fn line(&self) -> String {
        let Machine { processor, threads, architecture, system } = self;
        let name = processor.as_deref().unwrap_or("unknown processor");
        format!("{name}, {threads} threads, {architecture}, {system}")
    }
}

fn model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim().into())
}

/// How many threads wanted to run, on average over the last minute, where the system tells it (Linux does).
pub fn load() -> Option<f64> {
    read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_found_where_it_is_named() {
        assert_eq!(model("processor\t: 0\nmodel name\t: Some CPU @ 3 GHz\n"), Some("Some CPU @ 3 GHz".into()));
        assert_eq!(model("Hardware\t: other\n"), None);
    }
}
