//! Which rows belong together.

use super::{AssessmentRow, Brief, ConsumerRow, FindingRow, IdentityRow, Rows, Text};

/// What an id names, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// An identity.
    Identity(u32),
    /// A credential.
    Credential(u32),
    /// A grant.
    Grant(u32),
    /// A consumer.
    Consumer(u32),
    /// A finding.
    Finding(u32),
    /// An assessment.
    Assessment(u32),
    /// An item of the plan.
    Plan(u32),
}

/// Places under each of a number of headings.
#[derive(Clone, Debug, Default)]
struct Groups {
    ends: Vec<u32>,
    all: Vec<u32>,
}

impl Groups {
    /// Puts places under headings; under each they keep their order.
    fn of(headings: usize, pairs: &[(u32, u32)]) -> Self {
        let mut ends = vec![0_u32; headings];
        for (heading, _) in pairs {
            if let Some(count) = ends.get_mut(*heading as usize) {
                *count += 1;
            }
        }
        let mut before = 0;
        for end in &mut ends {
            // Each end is first where its part begins, and moves on as it is filled.
            before += std::mem::replace(end, before);
        }
        let mut all = vec![0_u32; before as usize];
        for (heading, place) in pairs {
            if let Some(end) = ends.get_mut(*heading as usize)
                && let Some(slot) = all.get_mut(*end as usize)
            {
                *slot = *place;
                *end += 1;
            }
        }
        Self { ends, all }
    }

    /// Puts lists under headings, in the order of the headings.
    fn from_lists(lists: impl Iterator<Item = Vec<u32>>) -> Self {
        let mut made = Self::default();
        for mut list in lists {
            made.all.append(&mut list);
            made.ends
                .push(u32::try_from(made.all.len()).unwrap_or(u32::MAX));
        }
        made
    }

    fn under(&self, heading: u32) -> &[u32] {
        let heading = heading as usize;
        let end = |at: usize| self.ends.get(at).map_or(0, |end| *end as usize);
        let from = heading.checked_sub(1).map_or(0, end);
        self.all.get(from..end(heading)).unwrap_or_default()
    }
}

/// What belongs together.
#[derive(Clone, Debug, Default)]
pub(super) struct Ties {
    /// What the text of a place names, if it is an id.
    entries: Vec<Option<Entry>>,
    findings_of_identity: Groups,
    findings_of_credential: Groups,
    assessments_of_identity: Groups,
    assessments_of_credential: Groups,
    plan_of_assessment: Groups,
    /// Consumers that an identity is itself.
    consumers_that_are: Groups,
    consumers_of_identity: Groups,
    consumers_of_credential: Groups,
    /// An identity's own credentials.
    credentials_of: Groups,
    /// With an identity: its credentials and those it holds, and what was found and judged of all of them.
    credentials_with: Groups,
    findings_with: Groups,
    assessments_with: Groups,
    plan_with: Groups,
}

fn numbered<T>(rows: &[T]) -> impl Iterator<Item = (u32, &T)> {
    (0_u32..).zip(rows)
}

impl Ties {
    pub(super) fn of(rows: &Rows) -> Self {
        let mut ties = Self {
            entries: entries(rows),
            ..Self::default()
        };
        let (identities, credentials) = (rows.identities.len(), rows.credentials.len());
        let identity = |id| ties.identity(id);
        let credential = |id| ties.credential(id);
        let findings = || numbered(&rows.findings);
        let of_identity = pairs(findings(), |row: &FindingRow| identity(row.identity));
        let of_credential = pairs(findings(), |row: &FindingRow| credential(row.credential));
        let judged = || numbered(&rows.assessments);
        let judged_identity = pairs(judged(), |row: &AssessmentRow| identity(row.identity));
        let judged_credential = pairs(judged(), |row: &AssessmentRow| credential(row.credential));
        let planned = pairs(numbered(&rows.plan), |row| ties.assessment(row.assessment));
        let being = pairs(numbered(&rows.consumers), |row: &ConsumerRow| {
            identity(row.identity)
        });
        let consumers = |ids: &[Text]| ids.iter().filter_map(|id| ties.consumer(*id)).collect();
        let using_identity = rows
            .identities
            .iter()
            .map(|row| consumers(row.consumers.of(&rows.lists)));
        let using_credential = rows
            .credentials
            .iter()
            .map(|row| consumers(row.consumers.of(&rows.lists)));
        let using_identity = Groups::from_lists(using_identity);
        let using_credential = Groups::from_lists(using_credential);
        ties.findings_of_identity = Groups::of(identities, &of_identity);
        ties.findings_of_credential = Groups::of(credentials, &of_credential);
        ties.assessments_of_identity = Groups::of(identities, &judged_identity);
        ties.assessments_of_credential = Groups::of(credentials, &judged_credential);
        ties.plan_of_assessment = Groups::of(rows.assessments.len(), &planned);
        ties.consumers_that_are = Groups::of(identities, &being);
        ties.consumers_of_identity = using_identity;
        ties.consumers_of_credential = using_credential;
        ties.belongings(rows);
        ties
    }

    fn belongings(&mut self, rows: &Rows) {
        let own = rows.identities.iter().map(|row| self.own(rows, row));
        self.credentials_of = Groups::from_lists(own.collect::<Vec<_>>().into_iter());
        let mut with = [const { Vec::new() }; 4];
        for (at, row) in numbered(&rows.identities) {
            let credentials = self.credentials_with(rows, at, row);
            let mut findings = self.findings_of_identity.under(at).to_vec();
            let mut assessments = self.assessments_of_identity.under(at).to_vec();
            for credential in &credentials {
                findings.extend(self.findings_of_credential.under(*credential));
                assessments.extend(self.assessments_of_credential.under(*credential).first());
            }
            let id = |at: &u32| rows.findings.get(*at as usize).map(|row| row.id);
            findings.sort_by_key(id);
            findings.dedup_by_key(|at| id(at));
            let id = |at: &u32| rows.assessments.get(*at as usize).map(|row| row.id);
            assessments.sort_by_key(id);
            assessments.dedup_by_key(|at| id(at));
            let plan = assessments
                .iter()
                .filter_map(|at| self.plan_of_assessment.under(*at).last().copied());
            let plan = plan.collect();
            for (lists, list) in with
                .iter_mut()
                .zip([credentials, findings, assessments, plan])
            {
                lists.push(list);
            }
        }
        let [credentials, findings, assessments, plan] =
            with.map(|lists| Groups::from_lists(lists.into_iter()));
        self.credentials_with = credentials;
        self.findings_with = findings;
        self.assessments_with = assessments;
        self.plan_with = plan;
    }

    fn own(&self, rows: &Rows, row: &IdentityRow) -> Vec<u32> {
        let ids = row.credentials.of(&rows.lists).iter();
        ids.filter_map(|id| self.credential(*id)).collect()
    }

    /// The credentials of an identity, then those of others that an agent, job or service holds.
    fn credentials_with(&self, rows: &Rows, at: u32, row: &IdentityRow) -> Vec<u32> {
        let own = row.credentials.of(&rows.lists);
        let consumers = self.consumers_that_are.under(at).iter();
        let mut held: Vec<Text> = consumers
            .filter_map(|at| rows.consumers.get(*at as usize))
            .flat_map(|consumer| consumer.credentials.of(&rows.lists))
            .copied()
            .collect();
        held.sort_unstable();
        held.dedup();
        if !held.is_empty() {
            let mut known = own.to_vec();
            known.sort_unstable();
            held.retain(|id| known.binary_search(id).is_err());
        }
        let all = own.iter().copied().chain(held);
        all.filter_map(|id| self.credential(id)).collect()
    }

    fn entry(&self, id: Text) -> Option<Entry> {
        *self.entries.get(id.place()?)?
    }

    fn identity(&self, id: Text) -> Option<u32> {
        match self.entry(id)? {
            Entry::Identity(at) => Some(at),
            _ => None,
        }
    }

    fn credential(&self, id: Text) -> Option<u32> {
        match self.entry(id)? {
            Entry::Credential(at) => Some(at),
            _ => None,
        }
    }

    fn consumer(&self, id: Text) -> Option<u32> {
        match self.entry(id)? {
            Entry::Consumer(at) => Some(at),
            _ => None,
        }
    }

    fn assessment(&self, id: Text) -> Option<u32> {
        match self.entry(id)? {
            Entry::Assessment(at) => Some(at),
            _ => None,
        }
    }
}

fn entries(rows: &Rows) -> Vec<Option<Entry>> {
    let mut entries = vec![None; rows.texts.len()];
    let mut name = |id: Text, entry| {
        if let Some(slot) = id.place().and_then(|at| entries.get_mut(at)) {
            *slot = Some(entry);
        }
    };
    for (at, id) in numbered(&rows.grants) {
        name(*id, Entry::Grant(at));
    }
    for (at, row) in numbered(&rows.consumers) {
        name(row.id, Entry::Consumer(at));
    }
    for (at, row) in numbered(&rows.assessments) {
        name(row.id, Entry::Assessment(at));
    }
    for (at, row) in numbered(&rows.plan) {
        name(row.id, Entry::Plan(at));
    }
    for (at, row) in numbered(&rows.credentials) {
        name(row.id, Entry::Credential(at));
    }
    for (at, row) in numbered(&rows.identities) {
        name(row.id, Entry::Identity(at));
    }
    for (at, row) in numbered(&rows.findings) {
        name(row.id, Entry::Finding(at));
    }
    entries
}

fn pairs<'r, T: 'r>(
    rows: impl Iterator<Item = (u32, &'r T)>,
    heading: impl Fn(&T) -> Option<u32>,
) -> Vec<(u32, u32)> {
    rows.filter_map(|(at, row)| Some((heading(row)?, at)))
        .collect()
}

impl Brief {
    /// What an id names.
    pub fn entry(&self, id: Text) -> Option<Entry> {
        self.ties.entry(id)
    }

    /// The identity of this id, by its place.
    pub fn identity_of(&self, id: Text) -> Option<u32> {
        self.ties.identity(id)
    }

    /// The credential of this id, by its place.
    pub fn credential_of(&self, id: Text) -> Option<u32> {
        self.ties.credential(id)
    }

    /// The grants of an identity, by their places.
    pub fn grants_of(&self, identity: &IdentityRow) -> impl Iterator<Item = u32> {
        let ids = self.texts(identity.grants).iter();
        ids.filter_map(|id| match self.ties.entry(*id)? {
            Entry::Grant(at) => Some(at),
            _ => None,
        })
    }

    /// The identity that a finding is about: its own, else that of its credential.
    pub fn holder(&self, finding: &FindingRow) -> Option<u32> {
        if finding.identity != Text::NONE {
            return self.identity_of(finding.identity);
        }
        let credential = self.credential(self.credential_of(finding.credential)?)?;
        self.identity_of(credential.identity)
    }

    /// Findings about an identity, the most severe first.
    pub fn findings_of_identity(&self, at: u32) -> &[u32] {
        self.ties.findings_of_identity.under(at)
    }

    /// Findings about a credential, the most severe first.
    pub fn findings_of_credential(&self, at: u32) -> &[u32] {
        self.ties.findings_of_credential.under(at)
    }

    /// Assessments of an identity and of its credentials, the highest risk first.
    pub fn assessments_of_identity(&self, at: u32) -> &[u32] {
        self.ties.assessments_of_identity.under(at)
    }

    /// The assessment of a credential.
    pub fn assessment_of_credential(&self, at: u32) -> Option<u32> {
        self.ties
            .assessments_of_credential
            .under(at)
            .first()
            .copied()
    }

    /// The assessment of this id.
    pub fn assessment_of_id(&self, id: Text) -> Option<u32> {
        self.ties.assessment(id)
    }

    /// The assessment that settles a finding: its credential's, else its identity's own, else the highest risk among those
    /// of the identity's credentials.
    pub fn assessment_of(&self, finding: &FindingRow) -> Option<u32> {
        let of_credential = self
            .credential_of(finding.credential)
            .and_then(|at| self.assessment_of_credential(at));
        of_credential.or_else(|| {
            let all = self.assessments_of_identity(self.identity_of(finding.identity)?);
            let own = |at: &&u32| {
                let row = self.assessment(**at);
                row.is_some_and(|row| row.credential == Text::NONE)
            };
            all.iter().find(own).or_else(|| all.first()).copied()
        })
    }

    /// The item of the plan that settles an assessment.
    pub fn plan_of(&self, assessment: u32) -> Option<u32> {
        self.ties
            .plan_of_assessment
            .under(assessment)
            .last()
            .copied()
    }

    /// The consumers that an identity is itself: the job, the agent, the workload.
    pub fn consumers_that_are(&self, identity: u32) -> &[u32] {
        self.ties.consumers_that_are.under(identity)
    }

    /// Consumers of an identity.
    pub fn consumers_of_identity(&self, at: u32) -> &[u32] {
        self.ties.consumers_of_identity.under(at)
    }

    /// Consumers of a credential.
    pub fn consumers_of_credential(&self, at: u32) -> &[u32] {
        self.ties.consumers_of_credential.under(at)
    }

    /// Credentials of an identity.
    pub fn credentials_of(&self, identity: u32) -> &[u32] {
        self.ties.credentials_of.under(identity)
    }

    /// The credentials of an identity, then those of others that it holds.
    pub fn credentials_with(&self, identity: u32) -> &[u32] {
        self.ties.credentials_with.under(identity)
    }

    /// Findings about an identity and its credentials.
    pub fn findings_with(&self, identity: u32) -> &[u32] {
        self.ties.findings_with.under(identity)
    }

    /// Assessments of an identity and its credentials.
    pub fn assessments_with(&self, identity: u32) -> &[u32] {
        self.ties.assessments_with.under(identity)
    }

    /// What the plan has for an identity and its credentials.
    pub fn plan_with(&self, identity: u32) -> &[u32] {
        self.ties.plan_with.under(identity)
    }
}
