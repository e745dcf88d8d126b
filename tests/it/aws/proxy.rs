//! Stands between the program and moto: notes every call, answers what moto lacks, and fails as AWS can.

use super::moto::Moto;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What becomes of a call.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    /// moto, or what stands in for it, answers.
    Pass,
    /// So much later.
    Late(Duration),
    /// An error of AWS: status and code.
    Error(u16, &'static str),
    /// The connection ends in the middle of the answer.
    Cut,
}

/// A call: its name and how many of that name came before it.
pub(crate) struct Seen<'a> {
    pub(crate) action: &'a str,
    pub(crate) before: usize,
}

type Rule = dyn Fn(&Seen<'_>) -> Fate + Send + Sync;

/// The proxy.
pub(crate) struct Proxy {
    pub(crate) url: String,
    calls: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Proxy {
    /// Starts one in front of a server.
    pub(crate) fn before(
        moto: &'static Moto,
        rule: impl Fn(&Seen<'_>) -> Fate + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let calls: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
        let rule: Arc<Rule> = Arc::new(rule);
        let noted = Arc::clone(&calls);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (noted, rule) = (Arc::clone(&noted), Arc::clone(&rule));
                // A client that goes away is part of what is tested.
                thread::spawn(move || serve(stream, moto.port, &noted, rule.as_ref()));
            }
        });
        Self { url, calls }
    }

    /// Calls seen so far, by name.
    pub(crate) fn calls(&self) -> BTreeMap<String, usize> {
        self.calls.lock().unwrap().clone()
    }
}

fn serve(
    stream: TcpStream,
    port: u16,
    noted: &Mutex<BTreeMap<String, usize>>,
    rule: &Rule,
) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let mut head = String::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if line == "\r\n" {
                break;
            }
            head.push_str(&line);
        }
        let header = |name: &str| {
            head.lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim().to_owned())
        };
        let length: usize = header("content-length")
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let text = String::from_utf8_lossy(&body).into_owned();
        let field = |name: &str| {
            text.split('&')
                .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
                .map(str::to_owned)
        };
        let json = header("x-amz-target");
        let action = match &json {
            Some(target) => target.rsplit('.').next().unwrap_or_default().to_owned(),
            None => field("Action").unwrap_or_default(),
        };
        let before = {
            let mut noted = noted.lock().unwrap();
            let count = noted.entry(action.clone()).or_insert(0);
            *count += 1;
            *count - 1
        };
        let seen = Seen {
            action: &action,
            before,
        };
        // AWS tells an organization's members nothing but that there is one; moto tells them everything.
        let member = json.is_some()
            && header("x-amz-security-token").is_some()
            && action != "DescribeOrganization";
        let fate = if member {
            Fate::Error(400, "AccessDeniedException")
        } else {
            rule(&seen)
        };
        let answer = match fate {
            Fate::Cut => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n<List");
                return None;
            }
            Fate::Error(status, code) => error(status, code, json.is_some()),
            Fate::Late(time) => {
                thread::sleep(time);
                answer(&action, &field, port, &head, &body)?
            }
            Fate::Pass => answer(&action, &field, port, &head, &body)?,
        };
        stream.write_all(&answer).ok()?;
    }
}

/// What moto says, or what it would say if it had the call.
fn answer(
    action: &str,
    field: &dyn Fn(&str) -> Option<String>,
    port: u16,
    head: &str,
    body: &[u8],
) -> Option<Vec<u8>> {
    let known = |text: String| Some(whole(200, "text/xml", text.as_bytes()));
    match action {
        "GenerateServiceLastAccessedDetails" => {
            // The job carries its principal, so that its answer can be about it.
            let arn = field("Arn").unwrap_or_default();
            let about: u64 = arn.bytes().map(u64::from).sum();
            let job = format!("{about:012}-0000-0000-0000-000000000000");
            known(response(action, &format!("<JobId>{job}</JobId>")))
        }
        "GetServiceLastAccessedDetails" => known(response(action, &last_accessed(field))),
        "ListServiceSpecificCredentials" => {
            let user = field("UserName").unwrap_or_default();
            let one = if user == "service-000" {
                "<member><UserName>service-000</UserName><Status>Active</Status>\
                 <ServiceUserName>service-000-at-123456789012</ServiceUserName><CreateDate>2024-01-01T00:00:00Z</CreateDate>\
                 <ServiceSpecificCredentialId>ACCAEXAMPLEEXAMPLE00</ServiceSpecificCredentialId>\
                 <ServiceName>codecommit.amazonaws.com</ServiceName></member>"
            } else {
                ""
            };
            known(response(
                action,
                &format!("<ServiceSpecificCredentials>{one}</ServiceSpecificCredentials>"),
            ))
        }
        // The details of this moto have no boundaries.
        "GetAccountAuthorizationDetails" => {
            let answer = String::from_utf8(forward(port, head, body)?).ok()?;
            let (_, text) = answer.split_once("\r\n\r\n")?;
            let name = "<RoleName>github</RoleName>";
            let boundary = "<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType>\
                            <PermissionsBoundaryArn>arn:aws:iam::123456789012:policy/boundary</PermissionsBoundaryArn>\
                            </PermissionsBoundary>";
            known(text.replacen(name, &format!("{name}{boundary}"), 1))
        }
        _ => forward(port, head, body),
    }
}

/// Two pages: of services, the second with an action that was used.
fn last_accessed(field: &dyn Fn(&str) -> Option<String>) -> String {
    let dates = "<JobCreationDate>2026-11-01T00:00:00Z</JobCreationDate>\
                 <JobCompletionDate>2026-11-01T00:00:01Z</JobCompletionDate><JobType>ACTION_LEVEL</JobType>";
    if field("Marker").is_none() {
        return format!(
            "<JobStatus>COMPLETED</JobStatus>{dates}<IsTruncated>true</IsTruncated><Marker>two</Marker>\
             <ServicesLastAccessed><member><ServiceName>AWS Lambda</ServiceName><ServiceNamespace>lambda</ServiceNamespace>\
             <TotalAuthenticatedEntities>0</TotalAuthenticatedEntities></member></ServicesLastAccessed>"
        );
    }
    format!(
        "<JobStatus>COMPLETED</JobStatus>{dates}<IsTruncated>false</IsTruncated>\
         <ServicesLastAccessed><member><ServiceName>Amazon S3</ServiceName><ServiceNamespace>s3</ServiceNamespace>\
         <LastAuthenticated>2026-10-01T00:00:00Z</LastAuthenticated><TotalAuthenticatedEntities>1</TotalAuthenticatedEntities>\
         <TrackedActionsLastAccessed><member><ActionName>GetObject</ActionName>\
         <LastAccessedTime>2026-10-01T00:00:00Z</LastAccessedTime></member></TrackedActionsLastAccessed>\
         </member></ServicesLastAccessed>"
    )
}

fn response(action: &str, result: &str) -> String {
    format!(
        "<{action}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata></{action}Response>"
    )
}

fn error(status: u16, code: &str, json: bool) -> Vec<u8> {
    if json {
        let text = format!("{{\"__type\":\"{code}\",\"Message\":\"no\"}}");
        return whole(status, "application/x-amz-json-1.1", text.as_bytes());
    }
    let text = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error>\
         <RequestId>0</RequestId></ErrorResponse>"
    );
    whole(status, "text/xml", text.as_bytes())
}

fn whole(status: u16, kind: &str, body: &[u8]) -> Vec<u8> {
    let mut answer = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(body);
    answer
}

fn forward(port: u16, head: &str, body: &[u8]) -> Option<Vec<u8>> {
    let mut server = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let kept: String = head
        .lines()
        .filter(|line| !line.to_ascii_lowercase().starts_with("connection:"))
        .flat_map(|line| [line, "\r\n"])
        .collect();
    write!(server, "{kept}Connection: close\r\n\r\n").ok()?;
    server.write_all(body).ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).ok()?;
    // The connection to the program stays open.
    let split = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(answer.get(..split)?).into_owned();
    let body = answer.get(split + 4..)?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let kind = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.eq_ignore_ascii_case("content-type"))
        .map_or("text/xml", |(_, value)| value.trim());
    Some(whole(status, kind, body))
}
