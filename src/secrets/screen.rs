//! Whether a text may hold a credential, at the price of what it adds to a text that was looked at before.
//!
//! The versions of a file differ little from one another. Of a screened text its [`Marks`] are kept: where literals stand
//! and which windows had a match. A text derived from it takes over the literals inside the stretches it copies; the
//! prefilter sees only what lies between two of them, and a pattern only those windows whose text, or whatever else
//! decides what is made of a match, is not copied whole.

use super::assignment::{self, Judgement};
use super::engine::{Engine, Known};
use super::layers;
use super::marks::{Hit, Marks, Noted, Verdict};
use super::matching::{BESIDE, judged};
use super::rows;
use super::text;
use super::windows::{MARGIN, Span, Windows};
use crate::model::Copied;
use std::ops::Range;

/// What is kept of a base, and its stretches in the text.
struct Base<'a> {
    marks: &'a Marks,
    stretches: Vec<Copied>,
    /// Length of the text.
    length: usize,
}

impl Engine {
    /// Whether [`Engine::scan`] may find anything in `text`: `false` promises that it does not. The marks are for texts
    /// that are derived from it.
    pub fn screen(&self, text: &[u8]) -> (Marks, bool) {
        self.screen_derived(text, &Marks::default(), &[])
    }

    /// The same for a text of which `copied` stretches are those of a base. The answer is that of [`Engine::screen`].
    pub fn screen_derived(&self, text: &[u8], base: &Marks, copied: &[Copied]) -> (Marks, bool) {
        let Ok(length) = u32::try_from(text.len()) else {
            return (Marks::default(), true);
        };
        let binary = text::is_binary(text);
        let stretches = if base.binary == binary {
            stretches(text.len(), base, copied, 2 * self.longest)
        } else {
            Vec::new()
        };
        let base = Base {
            marks: base,
            stretches,
            length: text.len(),
        };
        let mut marks = Marks {
            hits: self.hits(text, &base),
            length,
            binary,
            ..Marks::default()
        };
        let loud = self.verdicts(text, &base, &mut marks);
        self.beyond(text, &base, &mut marks);
        let any = loud || marks.beyond;
        marks.noted.shrink_to_fit();
        (marks, any)
    }

    /// Every literal in the text, sorted by place: those in copied stretches from the base, the rest searched for.
    fn hits(&self, text: &[u8], base: &Base<'_>) -> Vec<Hit> {
        if base.stretches.is_empty() {
            let mut hits = Vec::with_capacity(8);
            self.literals_in(text, |literal, start| hits.push(Hit::new(start, literal)));
            hits.sort_unstable_by_key(|hit| hit.place());
            return hits;
        }
        let overlap = self.longest.saturating_sub(1);
        let mut hits: Vec<Hit> = Vec::with_capacity(base.marks.hits.len() + 8);
        let mut cursor = 0;
        let mut last: usize = 0;
        let all = base.stretches.iter().map(Some).chain([None]);
        for stretch in all {
            let next = stretch.map_or(text.len(), |stretch| stretch.to);
            let from = last.saturating_sub(overlap);
            let to = text.len().min(next + overlap);
            let known = hits.len();
            // Only what is not wholly in one copied stretch is new.
            let added = if next == 0 || last == text.len() {
                &[]
            } else {
                text.get(from..to).unwrap_or_default()
            };
            self.prefilter.find(added, |literal, start| {
                let start = from + start;
                let end = start + self.literals.get(literal).map_or(0, |known| known.length);
                if end > last && start < next {
                    hits.push(Hit::new(start, literal));
                }
            });
            if hits.len() > known {
                // Some of these may start before the last of those that were taken over.
                let first = hits
                    .iter()
                    .take(known)
                    .rposition(|hit| (hit.at as usize) < from);
                let unsorted = first.map_or(0, |first| first + 1);
                let unsorted = hits.get_mut(unsorted..).unwrap_or_default();
                unsorted.sort_unstable_by_key(|hit| hit.place());
            }
            let Some(stretch) = stretch else { break };
            cursor = base.marks.seek(cursor, stretch.from);
            while let Some(hit) = base.marks.hits.get(cursor) {
                let at = hit.at as usize;
                if at >= stretch.from + stretch.len {
                    break;
                }
                let known = self.literals.get(hit.literal());
                let end = at + known.map_or(0, |known| known.length);
                let last = stretch.from + stretch.len;
                let start = at - stretch.from + stretch.to;
                let stands = end <= last
                    && known
                        .filter(|known| known.follows.is_some())
                        .is_none_or(|name| base.tells_of(name, text, start, stretch));
                if stands {
                    let decided = stretch.from + BESIDE.before <= at && end + BESIDE.after <= last;
                    hits.push(hit.moved(start, decided));
                }
                cursor += 1;
            }
            last = stretch.end();
        }
        let known = hits.len();
        self.new_names(text, base, &mut hits);
        if hits.len() > known {
            hits.sort_by_key(|hit| hit.place());
            // Those that were taken over come first.
            hits.dedup_by_key(|hit| hit.place());
        }
        hits
    }

    /// Every name in the text of which the base does not tell whether it is to be minded, and a few of which it does.
    fn new_names(&self, text: &[u8], base: &Base<'_>, hits: &mut Vec<Hit>) {
        let mut look = |from, to| {
            let part = self.names.deciding(text, from, to);
            self.names
                .find(text, part, &self.literals, |literal, start| {
                    hits.push(Hit::new(start, literal));
                });
        };
        let mut last = 0;
        for stretch in &base.stretches {
            if stretch.to > 0 || stretch.from > 0 {
                look(last, stretch.to + rows::BEFORE);
            }
            last = stretch.end();
        }
        if !base.stretches.last().is_some_and(|last| base.is_end(last)) {
            look(last, text.len());
        }
    }

    /// Notes every window that has a match, and says whether one of them has a credential.
    fn verdicts(&self, text: &[u8], base: &Base<'_>, marks: &mut Marks) -> bool {
        let mut windows = Windows::begin();
        let binary = marks.binary;
        for hit in marks.hits.iter_mut().filter(|hit| !hit.is_dull()) {
            let (literal, at) = (hit.literal(), hit.at as usize);
            if !self.surround(literal, at, text, binary, &mut windows) {
                hit.dull();
            }
        }
        let mut loud = false;
        let mut near = 0;
        // The literals are sorted, so windows of one rule that touch have been joined.
        for window in windows.unsorted() {
            let verdict = self
                .carried(text, base, window, &mut near)
                .unwrap_or_else(|| self.verdict(text, window));
            loud |= verdict == Verdict::Loud;
            if verdict != Verdict::Still {
                marks.noted.push(Noted {
                    rule: window.rule as u32,
                    start: window.start as u32,
                    end: window.end as u32,
                    verdict,
                });
            }
        }
        windows.rest();
        marks.noted.sort_unstable();
        loud
    }

    /// The verdict of the base, where the window and everything that decides of it is copied.
    fn carried(
        &self,
        text: &[u8],
        base: &Base<'_>,
        window: &Span,
        near: &mut usize,
    ) -> Option<Verdict> {
        let stretch = base.around(window, near)?;
        let image = Span {
            rule: window.rule,
            start: window.start - stretch.to + stretch.from,
            end: window.end - stretch.to + stretch.from,
        };
        let holds = |before, after| base.holds(stretch, window, before, after);
        let compiled = self.rules.get(window.rule)?;
        if compiled.rule.assignment.is_some() {
            let reach = compiled.reach?;
            let known = base.marks.noted_at(&image);
            let held = holds(reach.before, reach.after) || {
                let hit = window.start..window.end;
                let decides = match known {
                    Some(_) => assignment::sees(text, &hit),
                    None => assignment::reads(text, &hit),
                };
                holds(decides.before, decides.after)
            };
            return held.then(|| known.map_or(Verdict::Still, |noted| noted.verdict));
        }
        if !holds(MARGIN, MARGIN) {
            return None;
        }
        // Nothing matched in a window of the base that holds this one: nothing matches here.
        let Some(noted) = base.marks.noted_at(&image) else {
            return Some(Verdict::Still);
        };
        let same = noted.start as usize == image.start && noted.end as usize == image.end;
        let reach = compiled.reach?;
        (same && holds(reach.before, reach.after)).then_some(noted.verdict)
    }

    fn verdict(&self, text: &[u8], window: &Span) -> Verdict {
        let rule = self.rules.get(window.rule).map(|compiled| &compiled.rule);
        if let Some(family) = rule.and_then(|rule| rule.assignment.as_deref()) {
            return match assignment::judge(text, &(window.start..window.end), family) {
                Judgement::Nothing => Verdict::Still,
                Judgement::Unlikely => Verdict::Quiet,
                Judgement::Secrets(_) => Verdict::Loud,
            };
        }
        let mut loud = false;
        let matched = self.each_match_in(text, window, &mut 0, |window, compiled, captures| {
            if loud {
                return Some(window.end);
            }
            let found = judged(window.rule, compiled, text, captures)?;
            loud = true;
            Some(found.span.end)
        });
        match (matched, loud) {
            (_, true) => Verdict::Loud,
            (true, false) => Verdict::Quiet,
            (false, false) => Verdict::Still,
        }
    }

    /// Notes whether something beyond the rules' windows may find a credential.
    fn beyond(&self, text: &[u8], base: &Base<'_>, marks: &mut Marks) {
        let dirty = if base.marks.beyond || base.stretches.is_empty() {
            std::iter::once(0..text.len()).collect()
        } else {
            base.dirty(text.len())
        };
        // What a stretch says of the document, its base said too.
        let everywhere = base.marks.declares || base.stretches.is_empty();
        marks.declares = if everywhere {
            layers::declares(text, std::slice::from_ref(&(0..text.len())))
        } else {
            layers::declares(text, &dirty)
        };
        marks.beyond =
            self.may_hold_inside(text, &dirty, marks.declares) || !self.whole(text).is_empty();
    }
}

impl Base<'_> {
    /// What is not wholly in one copied stretch, in order.
    fn dirty(&self, length: usize) -> Vec<Range<usize>> {
        let mut dirty = Vec::with_capacity(self.stretches.len() + 1);
        let mut last: usize = 0;
        for stretch in &self.stretches {
            // Two stretches that meet are new to one another.
            if stretch.to > 0 || stretch.from > 0 {
                dirty.push(last.saturating_sub(1)..length.min(stretch.to + 1));
            }
            last = stretch.end();
        }
        let ends = self.stretches.last().is_some_and(|last| self.is_end(last));
        if !ends {
            dirty.push(last.saturating_sub(1)..length);
        }
        dirty
    }

    /// The stretch in which a window starts; `near` is where the last one was.
    fn around(&self, window: &Span, near: &mut usize) -> Option<&Copied> {
        let holds = |stretch: &Copied| stretch.to <= window.start && window.start < stretch.end();
        for at in [*near, *near + 1] {
            if self.stretches.get(at).is_some_and(holds) {
                *near = at;
                return self.stretches.get(at);
            }
        }
        let behind = self
            .stretches
            .partition_point(|stretch| stretch.to <= window.start);
        *near = behind.checked_sub(1)?;
        self.stretches.get(*near).filter(|stretch| holds(stretch))
    }

    /// Whether a name that is to be minded in the base is to be minded at `start` of the text too, where a stretch has it. Where what
    /// precedes it is new, it is searched for.
    fn tells_of(&self, name: &Known, text: &[u8], start: usize, stretch: &Copied) -> bool {
        let place = Span {
            rule: 0,
            start,
            end: start + name.length,
        };
        let after = name.follows.map_or(0, |follows| follows.after);
        self.holds(stretch, &place, rows::BEFORE, after)
            || (self.holds(stretch, &place, rows::BEFORE, 0) && name.stands_at(text, start))
    }

    /// Whether a stretch is the end of both texts.
    fn is_end(&self, stretch: &Copied) -> bool {
        stretch.end() == self.length && stretch.from + stretch.len == self.marks.length as usize
    }

    /// Whether a stretch holds a window with so many bytes around it, as far as the text goes: where it ends, the base
    /// has to end too.
    fn holds(&self, stretch: &Copied, window: &Span, before: usize, after: usize) -> bool {
        let starts = stretch.to == 0 && stretch.from == 0;
        let ends = self.is_end(stretch);
        (stretch.to + before <= window.start || starts)
            && (window.end + after <= stretch.end() || ends)
    }
}

/// The stretches worth following: neighbours joined, without the short ones, whose every literal would be searched for
/// with what is around them. None where they are not inside the texts.
fn stretches(length: usize, base: &Marks, copied: &[Copied], least: usize) -> Vec<Copied> {
    let mut out: Vec<Copied> = Vec::with_capacity(copied.len());
    let mut last = 0;
    for stretch in copied {
        let inside = stretch.to >= last
            && stretch.end() <= length
            && stretch.from + stretch.len <= base.length as usize;
        if !inside {
            return Vec::new();
        }
        last = stretch.end();
        match out.last_mut() {
            Some(known) if known.end() == stretch.to && known.from + known.len == stretch.from => {
                known.len += stretch.len;
            }
            _ => {
                if out.last().is_some_and(|known| known.len < least) {
                    out.pop();
                }
                out.push(*stretch);
            }
        }
    }
    if out.last().is_some_and(|known| known.len < least) {
        out.pop();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FingerprintKey;
    use crate::rules::credentials::{CredentialRules, template};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static RULES: LazyLock<CredentialRules> = LazyLock::new(|| CredentialRules::builtin().unwrap());
    static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(&RULES).unwrap());
    static EXAMPLES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let all = RULES.rules().iter();
        all.flat_map(|rule| rule.examples.iter().chain(&rule.negative_examples))
            .map(|text| template::expand("test", text).unwrap())
            .collect()
    });
    static LITERALS: LazyLock<Vec<String>> = LazyLock::new(|| {
        let all = RULES.rules().iter();
        all.flat_map(|rule| rule.literals.iter().cloned()).collect()
    });

    fn finds(text: &[u8]) -> bool {
        !ENGINE.scan(text, &FingerprintKey::new([7; 32])).is_empty()
    }

    fn encoded(text: &str, between: &str) -> String {
        let whole = STANDARD.encode(text);
        let lines: Vec<&str> = whole
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        format!("key: \"{}\"\n", lines.join(between))
    }

    /// A part of a text: something planted, cut at both ends, then noise.
    fn part() -> impl Strategy<Value = Vec<u8>> {
        let planted = prop_oneof![
            1 => (any::<prop::sample::Index>(), "(\n|\\\\n|\" \\+\n  \")").prop_map(|(at, between)| encoded(at.get::<String>(&EXAMPLES), &between)),
            1 => any::<prop::sample::Index>().prop_map(|at| at.get(&EXAMPLES).clone()),
            2 => any::<prop::sample::Index>().prop_map(|at| at.get(&LITERALS).clone()),
            4 => "[a-z_ ]{0,12}(=|: |=\")[A-Za-z0-9]{0,40}\n",
            // What is assigned stands behind the line of its name, or between quotes that reach over lines.
            // Heads of tables, and rows.
            1 => "(\n|INSERT INTO t|CREATE TABLE t|COPY t)[ (]{0,2}(id,)?(password|secret( text)?)(,id|)\\)?( VALUES| FROM stdin;|;\nINSERT INTO t VALUES|)\n?",
            1 => "\\(?(a|1|'a'),'?[A-Za-z0-9]{0,30}'?\\)?[,;\n]{1,2}",
            2 => "(password|api_key|\"token\")( =|:|,|\\(|=>| = \"\"\"|)[ \n\",'-]{0,9}(value: |- )?[\"']?[A-Za-z0-9]{0,30}[\"']?\n",
        ];
        let cut = prop_oneof![3 => Just((0, 0)), 1 => (0_usize..30, 0_usize..30)];
        (planted, cut, "[ -~\n]{0,60}").prop_map(|(planted, (front, back), noise)| {
            let planted = planted.as_bytes();
            let end = planted.len().saturating_sub(back);
            let mut out = planted
                .get(front.min(end)..end)
                .unwrap_or_default()
                .to_vec();
            out.extend_from_slice(noise.as_bytes());
            out
        })
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(part(), 0..12).prop_map(|parts| parts.concat())
    }

    /// One step of a delta: a stretch of the base, from and length in parts of its size, or new text.
    fn steps() -> impl Strategy<Value = Vec<Result<(f64, f64), Vec<u8>>>> {
        let copy = (0.0..1.0, 0.0..1.0).prop_map(Ok);
        let whole = Just(Ok((0.0, 1.0)));
        let short = "[ -~]{0,6}".prop_map(|text| Err(text.into_bytes()));
        proptest::collection::vec(
            prop_oneof![4 => copy, 1 => whole, 1 => short, 1 => part().prop_map(Err)],
            0..7,
        )
    }

    fn derive(base: &[u8], steps: &[Result<(f64, f64), Vec<u8>>]) -> (Vec<u8>, Vec<Copied>) {
        let (mut text, mut copied) = (Vec::new(), Vec::new());
        for step in steps {
            match step {
                Ok((from, share)) => {
                    let from = (from * base.len() as f64) as usize;
                    let len = (share * (base.len() - from) as f64).ceil() as usize;
                    let to = text.len();
                    copied.push(Copied { to, from, len });
                    text.extend_from_slice(&base[from..from + len]);
                }
                Err(new) => text.extend_from_slice(new),
            }
        }
        (text, copied)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(600))]
        #[test]
        fn a_derived_text_is_screened_as_any_other(first in text(), deltas in proptest::collection::vec(steps(), 1..5)) {
            let (mut base, mut text) = (ENGINE.screen(&first).0, first);
            for steps in deltas {
                let (next, copied) = derive(&text, &steps);
                let whole = ENGINE.screen(&next);
                let derived = ENGINE.screen_derived(&next, &base, &copied);
                prop_assert_eq!(&derived, &whole, "{:?} of {}", copied, String::from_utf8_lossy(&text));
                prop_assert!(whole.1 || !finds(&next), "{}", String::from_utf8_lossy(&next));
                let key = FingerprintKey::new([7; 32]);
                let screened = ENGINE.scan_screened(&next, Some(&derived.0), &key).seen;
                prop_assert_eq!(screened, ENGINE.scan(&next, &key), "{}", String::from_utf8_lossy(&next));
                (base, text) = (derived.0, next);
            }
        }
    }

    #[test]
    fn what_scanning_finds_nothing_in_is_quiet() {
        let quiet = "let password = get_password();\nfn token(&self) {}\n".repeat(50);
        assert!(!ENGINE.screen(quiet.as_bytes()).1);
        for example in EXAMPLES.iter() {
            assert_eq!(
                ENGINE.screen(example.as_bytes()).1,
                finds(example.as_bytes()),
                "{example}"
            );
        }
    }

    #[test]
    fn marks_of_another_text_or_kind_of_text_are_not_believed() {
        let token = template::expand("test", "ghp_{{crc32:30:a}}").unwrap();
        let marked: Vec<u8> = [0xff, 0xfe]
            .into_iter()
            .chain(token.encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        let (base, loud) = ENGINE.screen(&marked);
        assert!(loud);
        let copied = |len| {
            [Copied {
                to: 0,
                from: 0,
                len,
            }]
        };
        assert!(
            ENGINE
                .screen_derived(&marked, &base, &copied(marked.len()))
                .1
        );
        assert!(
            ENGINE
                .screen_derived(token.as_bytes(), &base, &copied(9999))
                .1
        );
        let secret = template::expand("test", "password = \"{{alnum:24:a}}\"\n").unwrap();
        let text = secret.repeat(40);
        let binary = format!("\0{text}");
        let (base, _) = ENGINE.screen(binary.as_bytes());
        let whole = [Copied {
            to: 0,
            from: 1,
            len: text.len(),
        }];
        assert_eq!(
            ENGINE.screen_derived(text.as_bytes(), &base, &whole),
            ENGINE.screen(text.as_bytes())
        );
    }
}
