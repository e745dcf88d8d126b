//! The detection rules of a scan. They are read, and made ready for use, when something is to be searched: a night in which
//! nothing changed asks nothing of them.

use crate::rules::RuleError;
use crate::rules::credentials::CredentialRules;
use crate::secrets::Engine;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Detection rules: those that are built in, unless it is made from others.
#[derive(Default)]
pub struct Detection {
    rules: OnceLock<CredentialRules>,
    engine: Mutex<Option<Arc<Engine>>>,
}

impl From<CredentialRules> for Detection {
    fn from(rules: CredentialRules) -> Self {
        Self {
            rules: rules.into(),
            engine: Mutex::default(),
        }
    }
}

impl Detection {
    /// The rules.
    ///
    /// # Errors
    /// When those that are built in are not valid; a test rules that out for a release.
    pub fn rules(&self) -> Result<&CredentialRules, RuleError> {
        if let Some(rules) = self.rules.get() {
            return Ok(rules);
        }
        let rules = CredentialRules::builtin()?;
        Ok(self.rules.get_or_init(|| rules))
    }

    /// The compiled rules.
    ///
    /// # Errors
    /// When a pattern is no regular expression; the file and the rule are named.
    pub fn engine(&self) -> Result<Arc<Engine>, RuleError> {
        let mut made = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = &*made {
            return Ok(engine.clone());
        }
        let engine = Arc::new(Engine::new(self.rules()?)?);
        Ok(made.insert(engine).clone())
    }

    /// Gives the memory of the compiled rules back: patterns that have searched much hold some twenty megabytes. Whoever asks
    /// next compiles them anew.
    pub fn let_go(&self) {
        *self.engine.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
