//! ARN patterns: six segments, each matched by itself.
//!
//! Policies that code declares may have *holes*: parts of a resource with one value that the code does not tell. A hole
//! takes in whatever it may turn out to be, and is no wildcard: what has a hole in its name is one resource all the same.

use super::matcher;
use crate::model::aws::{HOLE, HOLE_END};
use std::borrow::Cow;

/// How much of a service a resource pattern takes in, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Breadth {
    /// One resource, with what lies in it (`bucket/*`).
    One,
    /// Several whose names begin or end alike.
    Several,
    /// All of a type or a service.
    Service,
    /// Every resource.
    Everything,
}

/// A resource pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArnPattern {
    text: String,
    /// Partition, service, region, account, resource. `None`: the bare `*`.
    segments: Option<[String; 5]>,
    /// The segments with their holes as labels in angle brackets; only where there are any.
    holed: Option<Box<[String; 5]>>,
}

/// A text with its holes as labels in angle brackets.
pub fn shown(text: &str) -> Cow<'_, str> {
    if text.contains([HOLE, HOLE_END]) {
        Cow::Owned(text.replace(HOLE, "<").replace(HOLE_END, ">"))
    } else {
        Cow::Borrowed(text)
    }
}

/// A text with something else in the place of its holes.
fn filled(text: &str, with: char) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        match c {
            HOLE => {
                inside = true;
                out.push(with);
            }
            HOLE_END => inside = false,
            _ if inside => {}
            c => out.push(c),
        }
    }
    out
}

/// Where a text is cut at a sign, holes left whole.
fn cut(text: &str, sign: char, most: usize) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut inside, mut from) = (false, 0);
    for (at, c) in text.char_indices() {
        match c {
            HOLE => inside = true,
            HOLE_END => inside = false,
            c if c == sign && !inside && out.len() + 1 < most => {
                out.push(text.get(from..at).unwrap_or_default());
                from = at + c.len_utf8();
            }
            _ => {}
        }
    }
    out.push(text.get(from..).unwrap_or_default());
    out
}

impl ArnPattern {
    /// Reads a pattern. `None` when it can match no ARN: it neither is `*` nor begins with `arn:`.
    ///
    /// Segments that are missing count as `*`, as AWS completes them.
    pub fn parse(text: &str) -> Option<Self> {
        if !text.is_empty() && text.bytes().all(|byte| byte == b'*') {
            return Some(Self::everything());
        }
        if text.contains(HOLE) {
            return Self::with_holes(text);
        }
        let mut parts = text.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        let mut segments: [String; 5] = std::array::from_fn(|_| "*".to_owned());
        for (slot, part) in segments.iter_mut().zip(parts) {
            part.clone_into(slot);
        }
        Some(Self {
            text: text.to_owned(),
            segments: Some(segments),
            holed: None,
        })
    }

    fn with_holes(text: &str) -> Option<Self> {
        let parts = cut(text, ':', 6);
        let mut written: [String; 5] = std::array::from_fn(|_| "*".to_owned());
        match parts.split_first() {
            Some((&"arn", parts)) => {
                for (slot, part) in written.iter_mut().zip(parts) {
                    (*part).clone_into(slot);
                }
            }
            // A hole with the beginning of the ARN in it, how much nobody tells: what it ends with is certain.
            Some((first, _)) if first.starts_with(HOLE) => {
                let (label, rest) = text.split_once(HOLE_END)?;
                let end = cut(rest, ':', usize::MAX);
                let [.., resource] = &mut written;
                *resource = format!("{label}{HOLE_END}{}", end.last()?);
            }
            _ => return None,
        }
        Some(Self {
            text: shown(text).into_owned(),
            segments: Some(written.clone().map(|segment| filled(&segment, '*'))),
            holed: Some(Box::new(written)),
        })
    }

    /// The bare `*`.
    pub fn everything() -> Self {
        Self {
            text: "*".to_owned(),
            segments: None,
            holed: None,
        }
    }

    /// As written, holes as labels in angle brackets.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// As a pattern that takes in whatever the holes turn out to be.
    pub fn widest(&self) -> Cow<'_, str> {
        match (&self.holed, &self.segments) {
            (Some(_), Some(segments)) => Cow::Owned(format!("arn:{}", segments.join(":"))),
            _ => Cow::Borrowed(&self.text),
        }
    }

    /// Whether it is the bare `*`.
    pub const fn is_everything(&self) -> bool {
        self.segments.is_none()
    }

    /// Service segment; `*` for the bare `*`.
    pub fn service(&self) -> &str {
        self.segments
            .as_ref()
            .map_or("*", |[_, service, ..]| service)
    }

    /// Account segment; `*` for the bare `*`.
    pub fn account(&self) -> &str {
        self.segments
            .as_ref()
            .map_or("*", |[_, _, _, account, _]| account)
    }

    /// Resource segment; `*` for the bare `*`.
    pub fn resource(&self) -> &str {
        self.segments
            .as_ref()
            .map_or("*", |[_, _, _, _, resource]| resource)
    }

    /// Whether it matches an ARN.
    pub fn matches(&self, arn: &str) -> bool {
        let Some(segments) = &self.segments else {
            return true;
        };
        if self.text == arn {
            return true;
        }
        let mut parts = arn.splitn(6, ':');
        if parts.next() != Some("arn") {
            return false;
        }
        let mut count = 0;
        for (segment, part) in segments.iter().zip(parts) {
            let fits = match self.holed.as_ref().and_then(|holed| holed.get(count)) {
                Some(holed) => fits(holed, part),
                None => matcher::matches(segment, part),
            };
            if !fits {
                return false;
            }
            count += 1;
        }
        count == 5
    }

    /// Whether it matches every ARN the other matches.
    pub fn covers(&self, other: &Self) -> bool {
        match (&self.segments, &other.segments) {
            (None, _) => true,
            // A pattern of five stars is as wide as the bare star for every resource that has an ARN.
            (Some(mine), None) => mine.iter().all(|segment| segment == "*"),
            (Some(mine), Some(theirs)) => {
                mine.iter().zip(theirs).all(|(a, b)| matcher::covers(a, b))
            }
        }
    }

    /// Whether some ARN is matched by both.
    pub fn intersects(&self, other: &Self) -> bool {
        match (&self.segments, &other.segments) {
            (None, _) | (_, None) => true,
            (Some(mine), Some(theirs)) => mine
                .iter()
                .zip(theirs)
                .all(|(a, b)| matcher::intersects(a, b)),
        }
    }

    /// How much of a service it takes in.
    pub fn breadth(&self) -> Breadth {
        let Some(segments) = &self.segments else {
            return Breadth::Everything;
        };
        let named;
        let [_, service, _, _, resource] = match &self.holed {
            // Any letter stands for what has one value.
            Some(holed) => {
                named = holed.each_ref().map(|segment| filled(segment, 'x'));
                &named
            }
            None => segments,
        };
        if service == "*" && resource == "*" {
            return Breadth::Everything;
        }
        // Where the service is in a hole, so is the beginning of the name.
        let in_hole = self.holed.is_some() && service == "*";
        if matcher::has_wildcard(service) && !in_hole {
            return Breadth::Service;
        }
        if in_hole && !matcher::has_wildcard(trim_contents("s3", resource)) {
            return Breadth::One;
        }
        let name = name_of(service, resource);
        if !matcher::has_wildcard(name) {
            return Breadth::One;
        }
        if name.starts_with('*') && name.trim_start_matches(['*', '/', ':', '?']).is_empty() {
            return Breadth::Service;
        }
        Breadth::Several
    }

    /// Whether it only takes in what belongs to AWS and nobody else can change: its managed policies, its service-linked
    /// roles, the roles Identity Center keeps.
    pub fn belongs_to_aws(&self) -> bool {
        self.service() == "iam"
            && (self.account() == "aws"
                || self.resource().starts_with("role/aws-service-role/")
                || self.resource().starts_with("role/aws-reserved/"))
    }

    /// The resource without what lies in it: equal for a bucket and its objects.
    pub fn base(&self) -> String {
        let Some(segments) = &self.segments else {
            return "*".to_owned();
        };
        let told;
        let [partition, service, region, account, resource] = match &self.holed {
            Some(holed) => {
                told = holed.each_ref().map(|segment| shown(segment).into_owned());
                &told
            }
            None => segments,
        };
        let name = trim_contents(service, resource);
        format!("arn:{partition}:{service}:{region}:{account}:{name}")
    }
}

/// Whether what has holes may be a text, which may have labels in angle brackets for what is not known in it: the same
/// label at the beginning or the end of both is the same text in both.
fn fits(holed: &str, text: &str) -> bool {
    let told = shown(holed);
    if told == text {
        return true;
    }
    let (mut holed, mut text) = (holed, text);
    let plain = |c: &char| !matches!(*c, '*' | '?' | HOLE | HOLE_END);
    loop {
        let inside = holed.strip_prefix(HOLE);
        if let Some((label, rest)) = inside.and_then(|inside| inside.split_once(HOLE_END)) {
            let same = text.strip_prefix('<');
            let same = same.and_then(|same| same.strip_prefix(label)?.strip_prefix('>'));
            let Some(same) = same else { break };
            (holed, text) = (rest, same);
        } else if let Some(c) = holed.chars().next().filter(plain) {
            let Some(same) = text.strip_prefix(c) else {
                return false;
            };
            (holed, text) = (holed.get(c.len_utf8()..).unwrap_or_default(), same);
        } else {
            break;
        }
    }
    loop {
        let inside = holed.strip_suffix(HOLE_END);
        if let Some((rest, label)) = inside.and_then(|inside| inside.rsplit_once(HOLE)) {
            let same = text.strip_suffix('>');
            let same = same.and_then(|same| same.strip_suffix(label)?.strip_suffix('<'));
            let Some(same) = same else { break };
            (holed, text) = (rest, same);
        } else if let Some(c) = holed.chars().next_back().filter(plain) {
            let Some(same) = text.strip_suffix(c) else {
                return false;
            };
            let rest = holed.len() - c.len_utf8();
            (holed, text) = (holed.get(..rest).unwrap_or_default(), same);
        } else {
            break;
        }
    }
    matcher::matches(&filled(holed, '*'), text)
}

/// Services whose resource segment begins with the name itself, not with a type.
const UNTYPED: [&str; 5] = ["s3", "sqs", "sns", "execute-api", "codecommit"];

/// The part of the resource segment that names it, without its type and what lies in it.
fn name_of<'a>(service: &str, resource: &'a str) -> &'a str {
    let resource = trim_contents(service, resource);
    if UNTYPED.contains(&service) {
        return resource;
    }
    match resource.find(['/', ':']) {
        Some(at) => resource.get(at + 1..).unwrap_or_default(),
        None => resource,
    }
}

/// Cuts what lies in a resource: objects of a bucket, streams of a log group, indexes of a table, versions.
fn trim_contents<'a>(service: &str, resource: &'a str) -> &'a str {
    if service == "s3" {
        // A key prefix with a fixed beginning still lies in one bucket.
        return resource.split('/').next().unwrap_or(resource);
    }
    let mut text = resource;
    while let Some(shorter) = [":*", "/*"].iter().find_map(|end| text.strip_suffix(end)) {
        // `function:*` and `table/*` name all of a type: there the star is the name.
        let inner = if UNTYPED.contains(&service) {
            !shorter.is_empty()
        } else {
            shorter.contains(['/', ':'])
        };
        if !inner {
            break;
        }
        text = shorter;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arn(text: &str) -> ArnPattern {
        ArnPattern::parse(text).unwrap()
    }

    #[test]
    fn segments_match_by_themselves() {
        let objects = arn("arn:aws:s3:::b*");
        assert!(objects.matches("arn:aws:s3:::bucket/key:with/colon"));
        assert!(!objects.matches("arn:aws:s3:::Bucket"));
        // A star does not reach over the colon of another segment.
        assert!(!arn("arn:aws:iam::1*:role/x").matches("arn:aws:iam::2:1:role/x"));
        assert!(arn("arn:aws:iam::*").matches("arn:aws:iam::1:role/x"));
        assert!(!arn("arn:aws:iam::1:user/a").matches("not an arn"));
        assert!(arn("arn:aws:sqs").matches("arn:aws:sqs:eu-west-1:1:queue"));
        assert!(ArnPattern::parse("my-bucket").is_none());
        assert!(ArnPattern::parse("").is_none());
        assert!(arn("**").is_everything());
    }

    fn hole(label: &str) -> String {
        format!("{HOLE}{label}{HOLE_END}")
    }

    #[test]
    fn a_hole_takes_in_anything_and_is_one_thing() {
        let bucket = arn(&format!("arn:aws:s3:::{}/logs/*", hole("var.bucket")));
        assert_eq!(bucket.as_str(), "arn:aws:s3:::<var.bucket>/logs/*");
        assert_eq!(bucket.widest(), "arn:aws:s3:::*/logs/*");
        assert_eq!(bucket.breadth(), Breadth::One);
        assert!(bucket.matches("arn:aws:s3:::any/logs/x") && !bucket.matches("arn:aws:s3:::any"));
        assert!(bucket.intersects(&arn("arn:aws:s3:::prod/*")));
        let several = arn(&format!("arn:aws:s3:::{}-*", hole("var.bucket")));
        assert_eq!(several.breadth(), Breadth::Several);
        let account = arn(&format!("arn:aws:iam::{}:role/*", hole("var.account")));
        assert_eq!(account.breadth(), Breadth::Service);
        assert!(account.matches("arn:aws:iam::1:role/x"));
        // A label may hold any sign.
        let odd = arn(&format!(
            "arn:aws:iam::{}:role/x",
            hole("data.a[\"k:v\"].id")
        ));
        assert_eq!(odd.breadth(), Breadth::One);
        assert_eq!(odd.resource(), "role/x");
    }

    #[test]
    fn a_hole_at_the_start_may_hold_any_part_of_the_beginning() {
        let contents = arn(&format!("{}/*", hole("var.bucket_arn")));
        assert_eq!(contents.breadth(), Breadth::One);
        assert!(contents.matches("arn:aws:s3:::b/x") && !contents.matches("arn:aws:s3:::b"));
        let role = arn(&format!("{}:role/x", hole("local.iam")));
        assert!(role.matches("arn:aws:iam::1:role/x") && !role.matches("arn:aws:iam::1:role/y"));
        assert!(arn(&hole("var.topic_arn")).matches("arn:aws:sns:eu-west-1:1:t"));
        assert_eq!(arn(&hole("var.topic_arn")).breadth(), Breadth::One);
        assert_eq!(
            arn(&format!("{}*", hole("var.x"))).breadth(),
            Breadth::Several
        );
        assert!(ArnPattern::parse(&format!("bucket-{}", hole("var.x"))).is_none());
    }

    #[test]
    fn the_same_label_is_the_same_text() {
        let role = |text: &str| format!("arn:aws:iam::1:role/{text}");
        let admin = arn(&role(&format!("{}-admin", hole("var.env"))));
        assert!(admin.matches(&role("<var.env>-admin")));
        assert!(!admin.matches(&role("<var.env>-other-admin")));
        assert!(admin.matches(&role("<var.other>-admin")));
        assert!(admin.matches(&role("prod-other-admin")));
        let end = arn(&role(&format!("app-{}", hole("var.env"))));
        assert!(end.matches(&role("app-<var.env>")) && !end.matches(&role("app-x-<var.env>")));
    }

    #[test]
    fn coverage_and_overlap() {
        assert!(arn("*").covers(&arn("arn:aws:s3:::a")));
        assert!(!arn("arn:aws:s3:::a").covers(&arn("*")));
        assert!(arn("arn:*:*:*:*:*").covers(&arn("*")));
        assert!(arn("arn:aws:s3:::a*").covers(&arn("arn:aws:s3:::ab/*")));
        assert!(arn("arn:aws:s3:::*/x").intersects(&arn("arn:aws:s3:::b/*")));
        assert!(!arn("arn:aws:s3:::a").intersects(&arn("arn:aws:sqs:::a")));
    }

    #[test]
    fn breadth_tells_one_from_many() {
        for (text, breadth) in [
            ("*", Breadth::Everything),
            ("arn:aws:s3:::*", Breadth::Service),
            ("arn:aws:s3:::*/*", Breadth::Service),
            ("arn:aws:s3:::logs", Breadth::One),
            ("arn:aws:s3:::logs/*", Breadth::One),
            ("arn:aws:s3:::logs-*", Breadth::Several),
            ("arn:aws:dynamodb:*:*:table/*", Breadth::Service),
            ("arn:aws:dynamodb:*:*:table/orders", Breadth::One),
            ("arn:aws:dynamodb:*:*:table/orders/index/*", Breadth::One),
            ("arn:aws:lambda:*:1:function:*", Breadth::Service),
            ("arn:aws:lambda:*:1:function:app-*", Breadth::Several),
            ("arn:aws:logs:*:1:log-group:/aws/x:*", Breadth::One),
            ("arn:aws:iam::1:role/*", Breadth::Service),
            ("arn:aws:sqs:*:1:*", Breadth::Service),
            ("arn:aws:sqs:*:1:jobs", Breadth::One),
            ("arn:aws:secretsmanager:*:1:secret:db-*", Breadth::Several),
        ] {
            assert_eq!(arn(text).breadth(), breadth, "{text}");
        }
        assert_eq!(arn("arn:aws:s3:::b").base(), arn("arn:aws:s3:::b/*").base());
    }
}
