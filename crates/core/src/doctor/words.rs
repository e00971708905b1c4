//! The rules as JSON, for whoever shows them: names, measures, reasons and cures, in the words of this crate.

use super::rules::{RULES, Side};
use crate::train::json::Json;

/// `[{id, label, measure, reason, threshold, above, cures: [{id, words}, …]}, …]`, the gravest first. A measure is bad above its
/// threshold, or below.
pub fn describe() -> String {
    let rules = RULES.iter().map(|rule| {
        let cure = |cure: &&'static super::cures::Cure| {
            Json::object(vec![("id", Json::text(cure.id)), ("words", Json::text(cure.words))])
        };
        Json::object(vec![
            ("id", Json::text(rule.id)),
            ("label", Json::text(rule.label)),
            ("measure", Json::text(rule.measure)),
            ("reason", Json::text(rule.reason)),
            ("threshold", Json::float(rule.threshold)),
            ("above", Json::Bool(rule.side == Side::Above)),
            ("cures", Json::Array(rule.cures.iter().map(cure).collect())),
        ])
    });
    Json::Array(rules.collect()).write()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHINESE: &str = include_str!("../../../../www/i18n/zh.js");

    /// The keys at a depth of braces behind `start`, until the braces close.
    fn keys(start: &str) -> Vec<String> {
        let block = CHINESE.split_once("export const doctor").unwrap().1.split_once(start).unwrap().1;
        let mut keys = Vec::new();
        for line in block.lines().skip(1).take_while(|line| *line != "  },") {
            let key = line.strip_prefix("    ").filter(|rest| !rest.starts_with([' ', '}']));
            keys.extend(key.and_then(|rest| rest.split_once(':')).map(|(key, _)| key.trim_matches('\'').to_owned()));
        }
        keys.sort();
        keys
    }

    #[test]
    fn chinese_words_stand_for_exactly_the_rules_and_cures() {
        let json: serde_json::Value = serde_json::from_str(&describe()).unwrap();
        let names = |values: &serde_json::Value| {
            values.as_array().unwrap().iter().map(|v| v["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let mut rules = names(&json);
        rules.sort();
        assert_eq!(keys("  rules: {"), rules);
        let mut cures: Vec<String> = json.as_array().unwrap().iter().flat_map(|rule| names(&rule["cures"])).collect();
        cures.sort();
        cures.dedup();
        assert_eq!(keys("  cures: {"), cures);
        let words = CHINESE.split_once("export const doctor").unwrap().1;
        for word in ["label: '", "measure: '", "reason: '"] {
            assert_eq!(words.matches(word).count(), rules.len(), "{word}");
        }
    }

    #[test]
    fn thresholds_are_described_with_their_side() {
        let json: serde_json::Value = serde_json::from_str(&describe()).unwrap();
        let alike = json.as_array().unwrap().iter().find(|rule| rule["id"] == "alike").unwrap();
        assert_eq!((&alike["threshold"], &alike["above"]), (&0.65.into(), &false.into()));
        assert_eq!(alike["cures"][0]["id"], "d-at-half");
    }
}
