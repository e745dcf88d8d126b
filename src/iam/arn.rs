//! ARN patterns: six segments, each matched by itself.

use super::matcher;

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
}

impl ArnPattern {
    /// Reads a pattern. `None` when it can match no ARN: it neither is `*` nor begins with `arn:`.
    ///
    /// Segments that are missing count as `*`, as AWS completes them.
    pub fn parse(text: &str) -> Option<Self> {
        if !text.is_empty() && text.bytes().all(|byte| byte == b'*') {
            return Some(Self::everything());
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
        })
    }

    /// The bare `*`.
    pub fn everything() -> Self {
        Self {
            text: "*".to_owned(),
            segments: None,
        }
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
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
            if !matcher::matches(segment, part) {
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
        let Some([_, service, _, _, resource]) = &self.segments else {
            return Breadth::Everything;
        };
        if service == "*" && resource == "*" {
            return Breadth::Everything;
        }
        if matcher::has_wildcard(service) {
            return Breadth::Service;
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
        let Some([partition, service, region, account, resource]) = &self.segments else {
            return "*".to_owned();
        };
        let name = trim_contents(service, resource);
        format!("arn:{partition}:{service}:{region}:{account}:{name}")
    }
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
