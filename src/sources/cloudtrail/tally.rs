//! What is kept of the events: counts under caps, joined in one order whatever the number of threads.

use super::event::{Issued, Seen};
use super::names::{agent, network, session_name};
use super::spans::Spans;
use super::who::{self, Who, short};
use super::{Call, EventNames};
use std::collections::{BTreeMap, BTreeSet};

/// Most principals, each with each of its long-lived keys.
const MAX_PRINCIPALS: usize = 50_000;
/// Most temporary credentials followed one by one, of all principals.
const MAX_SESSIONS: usize = 400_000;
/// Most temporary credentials whose issue is remembered.
const MAX_ISSUED: usize = 400_000;
/// Most active hours of a principal of which the networks are told apart.
const MAX_HOURS: usize = 400;
/// Most distinct names of one kind kept for a principal.
const MAX_NAMES: usize = 64;
/// Most distinct actions kept for a principal.
const MAX_ACTIONS: usize = 2_000;
/// Most resources kept for one action of a principal.
const MAX_RESOURCES: usize = 50;

/// Counts by name, up to a cap.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub(super) counts: BTreeMap<String, u64>,
    /// There were more names.
    pub(super) more: bool,
}

impl Names {
    fn add(&mut self, name: String, count: u64) {
        if name.is_empty() {
            return;
        }
        if let Some(known) = self.counts.get_mut(&name) {
            *known += count;
        } else if self.counts.len() < MAX_NAMES {
            self.counts.insert(name, count);
        } else {
            self.more = true;
        }
    }

    fn join(&mut self, other: Self) {
        self.more |= other.more;
        for (name, count) in other.counts {
            self.add(name, count);
        }
    }
}

/// Calls of one action.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    pub(super) count: u64,
    pub(super) failed: u64,
    pub(super) last: i64,
    pub(super) resources: BTreeSet<String>,
    pub(super) more: bool,
}

/// In which hours calls came from more than one network at once.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// Of each hour and family of addresses, the first active ones: what stands for a network, and whether there was another.
    hours: BTreeMap<(i64, bool), (u64, bool)>,
}

impl Places {
    fn add(&mut self, at: i64, network: &str) {
        // Services that call on its behalf are no places.
        if !network.contains('/') {
            return;
        }
        let family = network.contains("::");
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in network.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        self.meet((at.div_euclid(3600), family), (hash, false));
        self.cap();
    }

    fn meet(&mut self, hour: (i64, bool), (network, several): (u64, bool)) {
        let held = self.hours.entry(hour).or_insert((network, several));
        held.1 |= several || held.0 != network;
        held.0 = held.0.min(network);
    }

    /// The earliest hours stay, whatever the order in which they were met.
    fn cap(&mut self) {
        while self.hours.len() > MAX_HOURS {
            self.hours.pop_last();
        }
    }

    fn join(&mut self, other: Self) {
        for (hour, place) in other.hours {
            self.meet(hour, place);
        }
        self.cap();
    }

    /// Hours in which calls came from two networks or more.
    pub(super) fn overlapping(&self) -> u32 {
        let count = self.hours.values().filter(|(_, several)| *several).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

/// Use of one principal with one of its long-lived keys, or without any.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) account: Option<String>,
    pub(super) events: u64,
    pub(super) failed: u64,
    pub(super) first: Option<i64>,
    pub(super) last: Option<i64>,
    pub(super) spans: Spans,
    /// Spans of each temporary credential.
    pub(super) sessions: BTreeMap<String, Spans>,
    /// Not every temporary credential was followed.
    pub(super) more_sessions: bool,
    pub(super) hours: [u64; 24],
    pub(super) weekdays: [u64; 7],
    pub(super) networks: Names,
    pub(super) places: Places,
    pub(super) regions: Names,
    pub(super) agents: Names,
    pub(super) errors: Names,
    pub(super) session_names: Names,
    pub(super) source_identities: Names,
    /// By event source and name.
    pub(super) actions: BTreeMap<(String, String), Calls>,
    pub(super) more_actions: bool,
    pub(super) console: u64,
    pub(super) from_console: u64,
}

impl Tally {
    fn touch(&mut self, at: i64) {
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
        self.spans.add(at);
    }

    fn add(&mut self, seen: &Seen, who: &Who, names: &dyn EventNames) {
        self.touch(seen.at);
        self.events += 1;
        self.failed += u64::from(seen.error.is_some());
        let hour = seen.at.div_euclid(3600).rem_euclid(24);
        // The first day of 1970 was a Thursday.
        let day = (seen.at.div_euclid(86_400) + 3).rem_euclid(7);
        if let Some(count) = usize::try_from(hour)
            .ok()
            .and_then(|at| self.hours.get_mut(at))
        {
            *count += 1;
        }
        if let Some(count) = usize::try_from(day)
            .ok()
            .and_then(|at| self.weekdays.get_mut(at))
        {
            *count += 1;
        }
        let network = network(&seen.address);
        self.places.add(seen.at, &network);
        self.networks.add(network, 1);
        self.regions.add(seen.region.clone(), 1);
        self.agents.add(agent(&seen.agent), 1);
        self.console += u64::from(seen.console);
        self.from_console += u64::from(seen.from_console);
        if let Some(error) = &seen.error {
            self.errors
                .add(format!("{error} {}:{}", seen.source, seen.name), 1);
        }
        if let Some(name) = &who.session_name {
            self.session_names.add(session_name(name), 1);
        }
        if let Some(name) = &who.source_identity {
            self.source_identities.add(name.clone(), 1);
        }
        let key = (seen.source.clone(), seen.name.clone());
        if self.actions.len() >= MAX_ACTIONS && !self.actions.contains_key(&key) {
            self.more_actions = true;
            return;
        }
        let calls = self.actions.entry(key).or_default();
        calls.count += 1;
        calls.failed += u64::from(seen.error.is_some());
        calls.last = calls.last.max(seen.at);
        if calls.more {
            return;
        }
        let account = self.account.as_deref().unwrap_or_default();
        let partition = who.arn.split(':').nth(1).unwrap_or("aws");
        let resources = seen.resources.iter().cloned().chain(names.resources(&Call {
            source: &seen.source,
            name: &seen.name,
            region: &seen.region,
            partition,
            account,
            parameters: &seen.parameters,
        }));
        for resource in resources {
            if calls.resources.len() < MAX_RESOURCES {
                calls.resources.insert(short_resource(&resource));
            } else if !calls.resources.contains(&short_resource(&resource)) {
                calls.more = true;
            }
        }
    }

    fn join(&mut self, other: Self, sessions_left: &mut usize) {
        self.account = self.account.take().or(other.account);
        self.events += other.events;
        self.failed += other.failed;
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = [self.last, other.last].into_iter().flatten().max();
        self.spans.join(&other.spans);
        self.more_sessions |= other.more_sessions;
        for (key, spans) in other.sessions {
            self.follow(key, &spans, sessions_left);
        }
        for (held, more) in self.hours.iter_mut().zip(other.hours) {
            *held += more;
        }
        for (held, more) in self.weekdays.iter_mut().zip(other.weekdays) {
            *held += more;
        }
        self.networks.join(other.networks);
        self.places.join(other.places);
        self.regions.join(other.regions);
        self.agents.join(other.agents);
        self.errors.join(other.errors);
        self.session_names.join(other.session_names);
        self.source_identities.join(other.source_identities);
        self.more_actions |= other.more_actions;
        self.console += other.console;
        self.from_console += other.from_console;
        for (key, calls) in other.actions {
            if self.actions.len() >= MAX_ACTIONS && !self.actions.contains_key(&key) {
                self.more_actions = true;
                continue;
            }
            let held = self.actions.entry(key).or_default();
            held.count += calls.count;
            held.failed += calls.failed;
            held.last = held.last.max(calls.last);
            held.more |= calls.more;
            held.resources.extend(calls.resources);
            while held.resources.len() > MAX_RESOURCES {
                held.resources.pop_last();
                held.more = true;
            }
        }
    }

    fn follow(&mut self, key: String, spans: &Spans, left: &mut usize) {
        if let Some(known) = self.sessions.get_mut(&key) {
            known.join(spans);
        } else if *left > 0 {
            *left -= 1;
            self.sessions.insert(key, spans.clone());
        } else {
            self.more_sessions = true;
        }
    }
}

fn short_resource(arn: &str) -> String {
    arn.chars().filter(|c| !c.is_control()).take(512).collect()
}

/// What the events of one account cover.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    pub(super) from: Option<i64>,
    pub(super) to: Option<i64>,
    pub(super) events: u64,
    pub(super) data_events: u64,
    pub(super) data_sources: BTreeSet<String>,
    pub(super) regions: BTreeSet<String>,
    /// Days with events, counted from 1970.
    pub(super) days: BTreeSet<i64>,
}

impl Window {
    fn add(&mut self, seen: &Seen) {
        self.from = Some(self.from.map_or(seen.at, |from| from.min(seen.at)));
        self.to = Some(self.to.map_or(seen.at, |to| to.max(seen.at)));
        self.events += 1;
        if seen.data {
            self.data_events += 1;
            if self.data_sources.len() < MAX_NAMES {
                self.data_sources.insert(seen.source.clone());
            }
        }
        if !seen.region.is_empty() && self.regions.len() < MAX_NAMES {
            self.regions.insert(seen.region.clone());
        }
        self.days.insert(seen.at.div_euclid(86_400));
    }

    fn join(&mut self, other: Self) {
        self.from = [self.from, other.from].into_iter().flatten().min();
        self.to = [self.to, other.to].into_iter().flatten().max();
        self.events += other.events;
        self.data_events += other.data_events;
        self.data_sources.extend(other.data_sources);
        self.regions.extend(other.regions);
        self.days.extend(other.days);
    }
}

/// Who asked for a temporary credential.
#[derive(Clone, Debug)]
pub(super) struct Start {
    pub(super) caller: Option<(String, String)>,
    pub(super) source_identity: Option<String>,
}

/// Everything kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    /// By ARN and long-lived key.
    pub(super) tallies: BTreeMap<(String, Option<String>), Tally>,
    pub(super) more_principals: bool,
    pub(super) windows: BTreeMap<String, Window>,
    /// By temporary key.
    pub(super) issued: BTreeMap<String, Start>,
    pub(super) more_issued: bool,
    sessions: usize,
}

impl Sum {
    /// Adds an event.
    pub(super) fn add(&mut self, seen: Seen, names: &dyn EventNames) {
        if let Some(account) = &seen.account {
            self.windows.entry(account.clone()).or_default().add(&seen);
        }
        if let Some(who) = &seen.who {
            let key = (who.arn.clone(), who.key.clone());
            let mut sessions = self.sessions;
            if let Some(tally) = self.tally(key) {
                tally.account.clone_from(&who.account);
                tally.add(&seen, who, names);
                if let Some(session) = &who.session {
                    Self::follow(tally, &mut sessions, session, seen.at);
                }
            }
            self.sessions = sessions;
        }
        let at = seen.at;
        if let Some(issued) = seen.issued {
            self.issue(issued, at);
        }
    }

    fn follow(tally: &mut Tally, sessions: &mut usize, session: &str, at: i64) {
        if let Some(spans) = tally.sessions.get_mut(session) {
            spans.add(at);
        } else if *sessions < MAX_SESSIONS {
            *sessions += 1;
            tally
                .sessions
                .entry(session.to_owned())
                .or_default()
                .add(at);
        } else {
            tally.more_sessions = true;
        }
    }

    /// A session begins when its credential is issued, also where nothing it does is logged.
    fn issue(&mut self, issued: Issued, at: i64) {
        if let Some(role) = issued.role.filter(|role| role.starts_with("arn:")) {
            let account = who::account_of(&role).map(str::to_owned);
            let mut sessions = self.sessions;
            if let Some(tally) = self.tally((short(&role), None)) {
                tally.account = account;
                tally.touch(at);
                Self::follow(tally, &mut sessions, &issued.key, at);
            }
            self.sessions = sessions;
        }
        if self.issued.len() >= MAX_ISSUED {
            self.more_issued = true;
            return;
        }
        self.issued.entry(issued.key).or_insert(Start {
            caller: issued.caller,
            source_identity: issued.source_identity.map(|name| short(&name)),
        });
    }

    fn tally(&mut self, key: (String, Option<String>)) -> Option<&mut Tally> {
        if self.tallies.len() >= MAX_PRINCIPALS && !self.tallies.contains_key(&key) {
            self.more_principals = true;
            return None;
        }
        Some(self.tallies.entry(key).or_default())
    }

    /// Adds everything of another.
    pub(super) fn join(&mut self, other: Self) {
        self.more_principals |= other.more_principals;
        self.more_issued |= other.more_issued;
        for (account, window) in other.windows {
            self.windows.entry(account).or_default().join(window);
        }
        for (key, tally) in other.tallies {
            let left = MAX_SESSIONS.saturating_sub(self.sessions);
            let mut still = left;
            if let Some(held) = self.tally(key) {
                held.join(tally, &mut still);
            }
            self.sessions += left - still;
        }
        for (key, start) in other.issued {
            if self.issued.len() >= MAX_ISSUED {
                self.more_issued = true;
                break;
            }
            self.issued.entry(key).or_insert(start);
        }
    }
}
