//! The score: likelihood × impact, with floors. The same formula judges today and the state after a plan.

use crate::model::{Evidence, RiskBand, RiskFactor};
use crate::rules::scoring::Scoring;

/// One factor's level and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// Level within the factor's range.
    pub level: u8,
    /// The type's nature or a default, not seen.
    pub assumed: bool,
    /// Why.
    pub evidence: Vec<Evidence>,
}

impl Level {
    /// A level that evidence shows.
    pub fn seen(level: u8, evidence: Evidence) -> Self {
        Self {
            level,
            assumed: false,
            evidence: vec![evidence],
        }
    }

    /// A level taken from the nature of the type or a default.
    pub fn assumed(level: u8, evidence: Evidence) -> Self {
        Self {
            level,
            assumed: true,
            evidence: vec![evidence],
        }
    }

    /// The same state at another level, for a reason.
    #[must_use]
    pub fn changed(&self, level: u8, evidence: Evidence) -> Self {
        Self {
            level,
            assumed: self.assumed && level == self.level,
            evidence: vec![evidence],
        }
    }
}

/// The six factors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Factors {
    /// E 0–5: where the secret is, who can get the grant.
    pub exposure: Level,
    /// T 0–3: how long it works without anyone deciding anew.
    pub standing: Level,
    /// H 0–2: owner, use.
    pub hygiene: Level,
    /// P 0–5: what it may do.
    pub privilege: Level,
    /// S 0–3: to what.
    pub sensitivity: Level,
    /// B 0–2: how far it reaches.
    pub blast: Level,
    /// It is an access key of an account's root user.
    pub root_key: bool,
}

/// A score and what made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scored {
    /// 0–100.
    pub score: u8,
    /// Band of the score.
    pub band: RiskBand,
    /// 1–10.
    pub likelihood: u8,
    /// 0–10.
    pub impact: u8,
    /// Floors that lifted the score.
    pub floors: Vec<String>,
    /// The vector.
    pub vector: String,
}

impl Factors {
    /// Code, name, and level of each factor, in the order of the vector.
    fn parts(&self) -> [(&'static str, &'static str, &Level); 6] {
        [
            ("E", "exposure", &self.exposure),
            ("T", "standing time", &self.standing),
            ("H", "hygiene", &self.hygiene),
            ("P", "privilege", &self.privilege),
            ("S", "sensitivity", &self.sensitivity),
            ("B", "blast", &self.blast),
        ]
    }

    /// The factors as a report shows them.
    pub fn report(&self) -> Vec<RiskFactor> {
        self.parts()
            .into_iter()
            .map(|(code, name, level)| RiskFactor {
                code: code.to_owned(),
                name: name.to_owned(),
                level: level.level,
                assumed: level.assumed,
                evidence: level.evidence.clone(),
            })
            .collect()
    }

    /// `NHI:1/E2/T3*/H0/P5/S2/B1`: assumed levels are starred.
    pub fn vector(&self) -> String {
        let mut out = String::from("NHI:1");
        for (code, _, level) in self.parts() {
            out.push('/');
            out.push_str(code);
            out.push_str(&level.level.to_string());
            if level.assumed {
                out.push('*');
            }
        }
        out
    }

    /// The score of these factors.
    pub fn score(&self, scoring: &Scoring) -> Scored {
        let (e, p) = (self.exposure.level, self.privilege.level);
        let likelihood = (e + self.standing.level + self.hygiene.level).clamp(1, 10);
        let impact = (p + self.sensitivity.level + self.blast.level).min(10);
        let product = likelihood * impact;
        let floors = &scoring.floors;
        let candidates = [
            (
                self.root_key,
                floors.root_key,
                "access key of an account's root user",
            ),
            (
                e >= 4 && p >= 4,
                floors.exposed_privileged,
                "exposed (E ≥ 4) with high privilege (P ≥ 4)",
            ),
            (
                e == 5 && p >= 2,
                floors.public_usable,
                "open to anyone (E = 5) with usable privilege (P ≥ 2)",
            ),
            (
                e >= 4 && p >= 1,
                floors.exposed_usable,
                "exposed (E ≥ 4) with some privilege (P ≥ 1)",
            ),
        ];
        let score = candidates
            .iter()
            .filter(|(holds, _, _)| *holds)
            .map(|(_, floor, _)| *floor)
            .fold(product, u8::max);
        let lifted = candidates
            .iter()
            .filter(|(holds, floor, _)| *holds && *floor > product)
            .map(|(_, floor, why)| format!("{why}: at least {floor}"))
            .collect();
        Scored {
            score,
            band: scoring.band(score),
            likelihood,
            impact,
            floors: lifted,
            vector: self.vector(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(levels: [u8; 6]) -> Factors {
        let level = |level| Level {
            level,
            ..Level::default()
        };
        Factors {
            exposure: level(levels[0]),
            standing: level(levels[1]),
            hygiene: level(levels[2]),
            privilege: level(levels[3]),
            sensitivity: level(levels[4]),
            blast: level(levels[5]),
            root_key: false,
        }
    }

    #[test]
    fn archetypes_have_their_scores_and_bands() {
        use RiskBand::{Critical, High, Low, Medium};
        let scoring = Scoring::builtin().unwrap();
        for (name, levels, score, band) in [
            (
                "admin key in a public repository",
                [5, 3, 2, 5, 2, 2],
                90,
                Critical,
            ),
            (
                "admin key in a private repository, owned",
                [4, 3, 0, 5, 2, 1],
                64,
                Critical,
            ),
            (
                "OIDC role without a subject",
                [5, 1, 0, 3, 2, 2],
                64,
                Critical,
            ),
            (
                "admin key in CI shared by three",
                [2, 3, 2, 5, 2, 2],
                63,
                High,
            ),
            ("cluster-admin legacy token", [2, 3, 1, 5, 2, 2], 54, High),
            ("unused admin key", [1, 3, 2, 5, 2, 0], 42, High),
            ("admin key as a CI secret", [2, 3, 0, 5, 2, 1], 40, High),
            ("org-wide OIDC administrator", [3, 1, 0, 5, 2, 2], 36, High),
            (
                "model key committed in agent configuration",
                [4, 3, 1, 2, 1, 1],
                36,
                High,
            ),
            (
                "vendor role without external id",
                [3, 1, 0, 2, 3, 1],
                24,
                Medium,
            ),
            (
                "payment key by reference, rotated",
                [1, 2, 0, 4, 3, 0],
                21,
                Medium,
            ),
            ("storage key in CI, staging", [2, 3, 0, 3, 1, 0], 20, Medium),
            (
                "default service account, automounted",
                [1, 1, 1, 1, 1, 1],
                9,
                Low,
            ),
            ("public admin key, used", [5, 3, 1, 5, 2, 2], 81, Critical),
            (
                "unused admin key, several services",
                [1, 3, 2, 5, 2, 1],
                48,
                High,
            ),
            ("cluster-admin token, owned", [2, 3, 0, 5, 2, 2], 45, High),
            (
                "payment key by reference, no owner",
                [1, 3, 1, 4, 3, 0],
                35,
                Medium,
            ),
            (
                "payment key by reference, owned",
                [1, 3, 0, 4, 3, 0],
                28,
                Medium,
            ),
            ("role for one resource", [0, 0, 0, 2, 2, 0], 4, Low),
            (
                "OIDC role bound to an environment",
                [0, 0, 0, 3, 2, 0],
                5,
                Low,
            ),
        ] {
            let scored = factors(levels).score(&scoring);
            assert_eq!((scored.score, scored.band), (score, band), "{name}");
        }
        let root = Factors {
            root_key: true,
            ..factors([1, 3, 0, 5, 1, 0])
        };
        assert_eq!(root.score(&scoring).score, 80);
    }

    #[test]
    fn worse_never_scores_lower() {
        const MOST: [u8; 6] = [5, 3, 2, 5, 3, 2];
        let scoring = Scoring::builtin().unwrap();
        let mut count = 0;
        let mut levels = [0u8; 6];
        loop {
            count += 1;
            let here = factors(levels).score(&scoring);
            let rooted = Factors {
                root_key: true,
                ..factors(levels)
            }
            .score(&scoring);
            assert!(here.score <= 100 && rooted.score >= here.score);
            for index in 0..6 {
                if levels[index] < MOST[index] {
                    let mut worse = levels;
                    worse[index] += 1;
                    let there = factors(worse).score(&scoring);
                    assert!(
                        there.score >= here.score && there.band >= here.band,
                        "{levels:?} {worse:?}"
                    );
                }
            }
            let Some(index) = (0..6).find(|index| levels[*index] < MOST[*index]) else {
                break;
            };
            levels[..index].fill(0);
            levels[index] += 1;
        }
        assert_eq!(count, 5184);
    }

    #[test]
    fn the_vector_stars_what_is_assumed() {
        let mut some = factors([2, 3, 0, 5, 2, 1]);
        some.standing.assumed = true;
        assert_eq!(some.vector(), "NHI:1/E2/T3*/H0/P5/S2/B1");
    }
}
