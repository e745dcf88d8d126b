//! Tokens in names. A file, a branch, an author or an owner can carry one, and all of those are shown.

use super::sightings::disjoint;
use super::{Engine, text};
use crate::model::{FingerprintKey, Redacted};
use serde::Serialize;
use serde_json::Value;
use std::io;
use std::ops::Range;

/// Characters of the fingerprint that keep two masked names apart.
const TELLING: usize = 6;

impl Engine {
    /// Masks every token that names its own type in the texts of `value`, keys included. The mask is followed by the
    /// beginning of the token's fingerprint, so that two names which differ in it alone stay two. Says whether there was
    /// one.
    pub fn mask_names(&self, value: &mut Value, key: &FingerprintKey) -> bool {
        match value {
            Value::String(text) => self.masked_name(text, key).is_some_and(|masked| {
                *text = masked;
                true
            }),
            Value::Array(items) => {
                let mut any = false;
                for item in items {
                    any |= self.mask_names(item, key);
                }
                any
            }
            Value::Object(fields) => {
                let mut any = false;
                for (name, mut item) in std::mem::take(fields) {
                    any |= self.mask_names(&mut item, key);
                    let masked = self.masked_name(&name, key);
                    any |= masked.is_some();
                    fields.insert(masked.unwrap_or(name), item);
                }
                any
            }
            _ => false,
        }
    }

    fn masked_name(&self, name: &str, key: &FingerprintKey) -> Option<String> {
        let tokens = self.tokens(name.as_bytes());
        let mut out = String::new();
        let mut at = 0;
        for (range, prefix) in &tokens {
            let token = name.get(range.clone())?;
            out.push_str(name.get(at..range.start)?);
            out.push_str(Redacted::new(prefix).as_str());
            out.push('-');
            let print = key.fingerprint("name", token.as_bytes());
            out.push_str(print.as_str().get(..TELLING)?);
            at = range.end;
        }
        out.push_str(name.get(at..)?);
        (!tokens.is_empty()).then_some(out)
    }

    /// The tokens in `text` that name their own type and need nothing beside them to be recognised. One that a dash or
    /// an underscore ties to a word before it, as in names of files, counts too.
    fn tokens(&self, text: &[u8]) -> Vec<Token> {
        let mut apart = text.to_vec();
        self.prefilter.find(text, |_, start| {
            let before = start.checked_sub(1).and_then(|at| apart.get_mut(at));
            if let Some(tie) = before.filter(|byte| matches!(byte, b'-' | b'_')) {
                *tie = b' ';
            }
        });
        let mut tokens = self.plain_tokens(text);
        if apart != text {
            tokens.extend(self.plain_tokens(&apart));
        }
        tokens.sort_by_key(|(range, prefix)| (range.start, range.end, prefix.len()));
        disjoint(tokens)
    }

    fn plain_tokens(&self, text: &[u8]) -> Vec<Token> {
        let text = text::read(text);
        let mut windows = self.windows(&text);
        windows.retain(|window| {
            self.rules.get(window.rule).is_some_and(|compiled| {
                compiled.structured && !compiled.rule.generic && compiled.companions.is_empty()
            })
        });
        self.matches(&text.bytes, &windows)
            .into_iter()
            .filter(|one| !one.prefix.is_empty())
            .filter_map(|one| Some((one.secret?, one.prefix)))
            .collect()
    }

    /// Whether a text anywhere in `value` has a token that names its own type.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn names_a_token(&self, value: &impl Serialize) -> serde_json::Result<bool> {
        let mut pieces = Pieces {
            engine: self,
            piece: Vec::new(),
            any: false,
        };
        serde_json::to_writer(&mut pieces, value)?;
        pieces.look();
        Ok(pieces.any)
    }
}

/// Most bytes of JSON that are looked at together, but for what belongs to one object.
const PIECE: usize = 1 << 18;

/// Looks for tokens in JSON while it is written, a piece at a time: of a large report there is no copy.
struct Pieces<'e> {
    engine: &'e Engine,
    piece: Vec<u8>,
    any: bool,
}

impl Pieces<'_> {
    fn look(&mut self) {
        self.any = self.any || !self.engine.tokens(&self.piece).is_empty();
        self.piece.clear();
    }
}

impl io::Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.any {
            self.piece.extend_from_slice(bytes);
            // No token has a brace in it.
            if self.piece.len() >= PIECE && bytes.ends_with(b"}") {
                self.look();
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A place of a token and the part of it that names its type.
pub(super) type Token = (Range<usize>, String);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::credentials::{CredentialRules, template};

    #[test]
    fn a_token_in_a_name_is_masked_and_names_stay_apart() {
        let engine = Engine::new(&CredentialRules::builtin().unwrap()).unwrap();
        let key = FingerprintKey::new([7; 32]);
        let token =
            |seed: &str| template::expand("test", &format!("ghp_{{{{crc32:30:{seed}}}}}")).unwrap();
        let (one, two) = (token("a"), token("b"));
        let tied = template::expand("test", "glpat-{{base64url:20:a}}").unwrap();
        let plain = serde_json::json!({"n": 1, "id": "AKIA", "uri": "src/ghp_tool/a.rs"});
        let mut value = serde_json::json!({
            "uri": [format!("dir-{one}/f-{two}.txt"), format!("dir-{one}/f.txt"), format!("a/old-{tied}/x_{tied}")],
            one.as_str(): {"author": format!("Joe <{two}@x.io>")},
            "plain": plain,
        });
        let many = serde_json::json!([vec![&plain; PIECE / 20], &value, vec![&plain; PIECE / 20]]);
        assert!(engine.names_a_token(&many).unwrap());
        assert!(!engine.names_a_token(&vec![&plain; PIECE / 20]).unwrap());
        assert!(engine.mask_names(&mut value, &key));
        let shown = value.to_string();
        assert!(
            !shown.contains(&one[4..]) && !shown.contains(&two[4..]),
            "{shown}"
        );
        assert_ne!(value["uri"][0], value["uri"][1]);
        assert!(
            value["uri"][1]
                .as_str()
                .unwrap()
                .starts_with("dir-ghp_********-")
        );
        assert_eq!(value["plain"], plain);
        assert!(!engine.mask_names(&mut value, &key), "masking is done once");
    }
}
