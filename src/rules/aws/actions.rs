//! The action table: every AWS action with its access level, as sets that are fast to combine.

use crate::rules::RuleError;
use std::collections::BTreeMap;
use std::ops::Range;

/// Access level, as the Service Authorization Reference gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccessLevel {
    /// Lists resources.
    List,
    /// Reads.
    Read,
    /// Changes resources.
    Write,
    /// Changes tags.
    Tagging,
    /// Changes permissions.
    Permissions,
}

impl AccessLevel {
    /// Every level.
    pub const ALL: [Self; 5] = [
        Self::List,
        Self::Read,
        Self::Write,
        Self::Tagging,
        Self::Permissions,
    ];

    /// Lower-case words used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Read => "read",
            Self::Write => "write",
            Self::Tagging => "tagging",
            Self::Permissions => "permissions-management",
        }
    }

    const fn of(word: &str) -> Option<Self> {
        Some(match word.as_bytes() {
            b"List" => Self::List,
            b"Read" => Self::Read,
            b"Write" => Self::Write,
            b"Tagging" => Self::Tagging,
            b"Permissions" => Self::Permissions,
            _ => return None,
        })
    }
}

/// Set of known actions, by their index in an [`ActionTable`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActionSet(Box<[u64]>);

impl ActionSet {
    fn empty(actions: usize) -> Self {
        Self(vec![0; actions.div_ceil(64)].into_boxed_slice())
    }

    /// Adds one action.
    pub fn insert(&mut self, index: usize) {
        if let Some(word) = self.0.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
    }

    /// Whether an action is in the set.
    pub fn contains(&self, index: usize) -> bool {
        self.0
            .get(index / 64)
            .is_some_and(|word| word & (1 << (index % 64)) != 0)
    }

    /// Adds every action of another set.
    pub fn unite(&mut self, other: &Self) {
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    /// Keeps what is also in another set.
    pub fn keep(&mut self, other: &Self) {
        for (word, kept) in self.0.iter_mut().zip(&other.0) {
            *word &= kept;
        }
    }

    /// Removes every action of another set.
    pub fn remove(&mut self, other: &Self) {
        for (word, gone) in self.0.iter_mut().zip(&other.0) {
            *word &= !gone;
        }
    }

    /// Whether nothing is in the set.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Whether the two sets share an action.
    pub fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    /// Whether every action of `other` is in this set.
    pub fn covers(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| b & !a == 0)
    }

    /// Number of actions.
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether any action of a range of indices is in the set.
    pub fn any_in(&self, range: &Range<usize>) -> bool {
        self.count_in(range) > 0
    }

    /// Number of actions of a range of indices that are in the set.
    pub fn count_in(&self, range: &Range<usize>) -> usize {
        let mut count = 0;
        let mut index = range.start;
        while index < range.end {
            let Some(word) = self.0.get(index / 64) else {
                break;
            };
            let offset = index % 64;
            let here = (64 - offset).min(range.end - index);
            let mask = if here == 64 {
                u64::MAX
            } else {
                ((1u64 << here) - 1) << offset
            };
            count += (word & mask).count_ones() as usize;
            index += here;
        }
        count
    }

    /// Indices in the set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(position, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                if left == 0 {
                    return None;
                }
                let bit = left.trailing_zeros() as usize;
                left &= left - 1;
                Some(position * 64 + bit)
            })
        })
    }
}

#[derive(Clone, Debug)]
struct Action {
    name: &'static str,
    lower: String,
    level: AccessLevel,
}

/// Every known action.
#[derive(Clone, Debug)]
pub struct ActionTable {
    actions: Vec<Action>,
    services: BTreeMap<&'static str, Range<usize>>,
    service_of: Vec<&'static str>,
    none: ActionSet,
    all: ActionSet,
    levels: [ActionSet; 5],
    without_resource: ActionSet,
    by_arn_service: BTreeMap<&'static str, ActionSet>,
    any_arn_service: ActionSet,
}

impl ActionTable {
    /// Parses `rules/aws/actions.txt`.
    pub(super) fn parse(file: &str, text: &'static str) -> Result<Self, RuleError> {
        let mut rows: BTreeMap<&'static str, Vec<(Action, bool)>> = BTreeMap::new();
        let mut arns: BTreeMap<&'static str, Vec<&'static str>> = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut words = line.split(' ');
            let (Some(service), Some(level)) = (words.next(), words.next()) else {
                return Err(RuleError::invalid(file, format!("line {}", number + 1)));
            };
            if level == "arn" {
                arns.insert(service, words.collect());
                continue;
            }
            let level = AccessLevel::of(level).ok_or_else(|| {
                RuleError::invalid(file, format!("line {}: unknown access level", number + 1))
            })?;
            let row = rows.entry(service).or_default();
            for word in words {
                let (name, without) = word.strip_suffix('!').map_or((word, false), |w| (w, true));
                row.push((
                    Action {
                        name,
                        lower: name.to_ascii_lowercase(),
                        level,
                    },
                    without,
                ));
            }
        }
        let total = rows.values().map(Vec::len).sum();
        let none = ActionSet::empty(total);
        let mut table = Self {
            actions: Vec::with_capacity(total),
            services: BTreeMap::new(),
            service_of: Vec::with_capacity(total),
            all: none.clone(),
            levels: std::array::from_fn(|_| none.clone()),
            without_resource: none.clone(),
            by_arn_service: BTreeMap::new(),
            any_arn_service: none.clone(),
            none,
        };
        for (service, mut row) in rows {
            row.sort_by(|a, b| a.0.lower.cmp(&b.0.lower));
            let start = table.actions.len();
            for (action, without) in row {
                let index = table.actions.len();
                table.all.insert(index);
                if let Some(level) = table.levels.get_mut(action.level as usize) {
                    level.insert(index);
                }
                if without {
                    table.without_resource.insert(index);
                } else {
                    let segments = arns
                        .get(service)
                        .map_or(std::slice::from_ref(&service), |v| v);
                    for segment in segments {
                        if *segment == "*" {
                            table.any_arn_service.insert(index);
                        } else {
                            table
                                .by_arn_service
                                .entry(segment)
                                .or_insert_with(|| table.none.clone())
                                .insert(index);
                        }
                    }
                }
                table.service_of.push(service);
                table.actions.push(action);
            }
            table.services.insert(service, start..table.actions.len());
        }
        Ok(table)
    }

    /// Number of known actions.
    pub fn len(&self) -> usize {
        self.actions.len()
    }

    /// Whether the table is empty.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// The empty set.
    pub fn none(&self) -> &ActionSet {
        &self.none
    }

    /// Every action.
    pub fn all(&self) -> &ActionSet {
        &self.all
    }

    /// Actions of one access level.
    pub fn level(&self, level: AccessLevel) -> &ActionSet {
        self.levels.get(level as usize).unwrap_or(&self.none)
    }

    /// Actions that name no resource: only `Resource: "*"` allows them.
    pub fn without_resource(&self) -> &ActionSet {
        &self.without_resource
    }

    /// Actions that can work on resources whose ARN has this service segment; `None` when no known action does.
    pub fn on_arn_service(&self, segment: &str) -> Option<&ActionSet> {
        self.by_arn_service.get(segment)
    }

    /// Actions that can work on resources of any service.
    pub fn on_any_service(&self) -> &ActionSet {
        &self.any_arn_service
    }

    /// Services and their ranges of indices, by name.
    pub fn services(&self) -> impl Iterator<Item = (&'static str, &Range<usize>)> {
        self.services.iter().map(|(name, range)| (*name, range))
    }

    /// Range of one service (lower case).
    pub fn service(&self, name: &str) -> Option<&Range<usize>> {
        self.services.get(name)
    }

    /// Lower-case names of the actions of a range, with their indices.
    pub fn names(&self, range: Range<usize>) -> impl Iterator<Item = (usize, &str)> {
        let start = range.start;
        self.actions
            .get(range)
            .unwrap_or_default()
            .iter()
            .enumerate()
            .map(move |(offset, action)| (start + offset, action.lower.as_str()))
    }

    /// Index of `service:Action`, whatever its case.
    pub fn index_of(&self, action: &str) -> Option<usize> {
        let (service, name) = action.split_once(':')?;
        let range = self.services.get(service.to_ascii_lowercase().as_str())?;
        let lower = name.to_ascii_lowercase();
        self.actions
            .get(range.clone())?
            .binary_search_by(|known| known.lower.as_str().cmp(&lower))
            .ok()
            .map(|offset| range.start + offset)
    }

    /// `service:Action` of an index.
    pub fn name_of(&self, index: usize) -> Option<String> {
        let service = self.service_of.get(index)?;
        Some(format!("{service}:{}", self.actions.get(index)?.name))
    }

    /// Access level of `service:Action`, whatever its case.
    pub fn level_of(&self, action: &str) -> Option<AccessLevel> {
        self.actions.get(self.index_of(action)?).map(|a| a.level)
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::aws::AwsTables;

    #[test]
    fn ranges_count_bits_across_words() {
        let tables = AwsTables::builtin().unwrap();
        let table = &tables.actions;
        let all = table.all();
        let total: usize = table.services().map(|(_, range)| all.count_in(range)).sum();
        assert_eq!(total, table.len());
        assert_eq!(all.len(), table.len());
        assert_eq!(all.iter().count(), table.len());
        assert!(!table.none().any_in(&(0..table.len())));
    }

    #[test]
    fn names_and_indices_agree() {
        let tables = AwsTables::builtin().unwrap();
        let index = tables.actions.index_of("IAM:passrole").unwrap();
        assert_eq!(tables.actions.name_of(index).unwrap(), "iam:PassRole");
        assert_eq!(tables.actions.index_of("iam:NoSuchThing"), None);
        assert_eq!(tables.actions.index_of("iam"), None);
    }

    #[test]
    fn some_actions_name_no_resource() {
        let tables = AwsTables::builtin().unwrap();
        let list = tables.actions.index_of("s3:ListAllMyBuckets").unwrap();
        let get = tables.actions.index_of("s3:GetObject").unwrap();
        assert!(tables.actions.without_resource().contains(list));
        assert!(!tables.actions.without_resource().contains(get));
        assert!(tables.actions.on_arn_service("s3").unwrap().contains(get));
    }
}
