//! Assignments as languages and formats write them, and what only looks like one.

use super::{Judgement, Reach, judge, key, look, readings, reads, sees, weigh};
use crate::rules::credentials::{assignments, template};
use proptest::prelude::*;
use std::ops::Range;

/// The secrets found in a text, in order.
fn found(text: &str) -> Vec<String> {
    let text = text.as_bytes();
    let lower = text.to_ascii_lowercase();
    let mut out: Vec<(usize, String)> = Vec::new();
    for family in &assignments().families {
        let literals: &[&str] = match family.id.as_str() {
            "password" => &["pass", "pwd", "pw:", "contrase", "senha", "identified by"],
            "credential" => &["cred"],
            id => &[id],
        };
        for literal in literals {
            for start in memchr::memmem::find_iter(&lower, literal) {
                let hit = start..start + literal.len();
                for one in judge(text, &hit, &family.id).secrets() {
                    let secret = String::from_utf8_lossy(&text[one.secret.clone()]).into_owned();
                    assert!(!one.reasons.is_empty());
                    out.push((one.secret.start, secret));
                }
            }
        }
    }
    out.sort();
    out.dedup();
    out.into_iter().map(|(_, secret)| secret).collect()
}

fn expand(text: &str) -> String {
    template::expand("test", text).unwrap()
}

/// A password of twelve letters and digits.
const PASSWORD: &str = "{{alnum:12:p}}";
/// A key of 32 letters and digits.
const KEY: &str = "{{loweralnum:32:k}}";

#[test]
fn every_way_to_write_an_assignment_is_read() {
    for (form, value) in [
        ("password = \"@\"", PASSWORD),
        ("password: '@'", PASSWORD),
        ("password: !!str @", PASSWORD),
        ("local password = [[@]]", PASSWORD),
        ("\"password\": \"@\",", PASSWORD),
        ("'password' => '@',", PASSWORD),
        ("password := \"@\"", PASSWORD),
        ("let password: &str = \"@\";", PASSWORD),
        ("const password: string = '@';", PASSWORD),
        ("var password string = \"@\"", PASSWORD),
        ("private static final String PASSWORD = \"@\";", PASSWORD),
        ("DB_PASSWORD=@", PASSWORD),
        ("export DB_PASSWORD=@\n", PASSWORD),
        ("user: app\npassword: @\nport: 5432", PASSWORD),
        ("[db]\nuser = app\npassword = @\n", PASSWORD),
        ("spring.datasource.password=@", PASSWORD),
        ("<password>@</password>", PASSWORD),
        ("<bean user=\"app\" password=\"@\"/>", PASSWORD),
        ("<add key=\"Password\" value=\"@\" />", PASSWORD),
        ("- name: DB_PASSWORD\n  value: \"@\"", PASSWORD),
        ("{\"name\": \"PASSWORD\", \"value\": \"@\"}", PASSWORD),
        ("login(user=\"app\", password=\"@\")", PASSWORD),
        ("client.setPassword(\"@\");", PASSWORD),
        ("define('DB_PASSWORD', '@');", PASSWORD),
        ("config[\"password\"] = \"@\"", PASSWORD),
        ("mysqldump --password=@ shop", PASSWORD),
        ("tool login --password @ --verbose", PASSWORD),
        ("ENV DB_PASSWORD @", PASSWORD),
        ("if password == \"@\":", PASSWORD),
        ("CREATE USER app IDENTIFIED BY '@';", PASSWORD),
        ("CREATE USER 'app'@'%' IDENTIFIED BY '@';", PASSWORD),
        ("jdbc:db2://h/x?user=app&password=@&ssl=true", PASSWORD),
        (
            "variable \"db_password\" {\n  type    = string\n  default = \"@\"\n}",
            PASSWORD,
        ),
        (
            "Parameters:\n  DbPassword:\n    Type: String\n    Default: @\n",
            PASSWORD,
        ),
        ("\"adminPassword\": {\n  \"value\": \"@\"\n}", PASSWORD),
        (
            "\"DbPassword\":{\"Type\":\"String\",\"Default\":\"@\"}",
            PASSWORD,
        ),
        ("password: |\n  @\nport: 1\n", PASSWORD),
        ("<password>\n  @\n</password>", PASSWORD),
        ("<password><![CDATA[@]]></password>", PASSWORD),
        ("<key>password</key>\n<string>@</string>", PASSWORD),
        (
            "<property name=\"password\"><value>@</value></property>",
            PASSWORD,
        ),
        ("password <- \"@\"", PASSWORD),
        ("Dim password As String = \"@\"", PASSWORD),
        ("public string Password { get; set; } = \"@\";", PASSWORD),
        ("std::string password{\"@\"};", PASSWORD),
        ("const p = process.env.PASSWORD || '@';", PASSWORD),
        ("{:user \"app\" :password \"@\"}", PASSWORD),
        ("set(DB_PASSWORD \"@\")", PASSWORD),
        ("SetEnv DB_PASSWORD @\n", PASSWORD),
        ("set -x DB_PASSWORD @\n", PASSWORD),
        ("password = (\n  \"@\"\n)", PASSWORD),
        ("{name: DB_PASSWORD, value: @}", PASSWORD),
        ("{\\\"password\\\": \\\"@\\\"}", PASSWORD),
        ("contraseña: \"@\"", PASSWORD),
        (
            "{\"Apitoken\": \"@\"}",
            "{\\\"id\\\":\\\"{{loweralnum:32:k}}\\\"}",
        ),
        ("senha = '@'", PASSWORD),
        ("api_key = \"@\"", KEY),
        ("https://h.io/x?api_key=@&y=1", KEY),
        ("X-Api-Key: @", KEY),
        ("Authorization: Bearer @", KEY),
        ("curl -H 'Authorization: token @' https://h.io", KEY),
        ("headers = {'Authorization': 'Bearer @'}", KEY),
        ("client_secret:\n    \"@\"", KEY),
        ("token = os.environ.get(\"TOKEN\", \"@\")", KEY),
        ("password = os.environ.get(\"PASSWORD\") or \"@\"", PASSWORD),
        ("buildConfigField 'String', 'API_KEY', '\"@\"'", KEY),
        ("resValue(\"string\", \"api_key\", \"\\\"@\\\"\")", KEY),
        ("define( 'DB_PASSWORD', '@' );", PASSWORD),
        ("os.getenv(\"DB_PASSWORD\", \"@\")", PASSWORD),
        ("cache.acme.io:6380,password=@,ssl=True,db=0", PASSWORD),
        ("setopt(curl, CURLOPT_PASSWORD, \"@\");", PASSWORD),
        ("if [ \"${password}\" == \"@\" ]; then", PASSWORD),
        ("id: app pw: @", PASSWORD),
        ("apikey: \"@\"", KEY),
        ("#define DB_PASSWORD \"@\"", PASSWORD),
        ("static char password[32] = \"@\";", PASSWORD),
        ("$passwords[] = '@';", PASSWORD),
        ("The secret key: @\n", KEY),
        ("<Value>password:@</Value>", PASSWORD),
        ("tokens: [\"@\"]", KEY),
        ("var passwords = []string{\"@\"}", PASSWORD),
        ("conf.setCipherKey(Base64.decode(\"@\"));", KEY),
        ("key.setSecretKey(Buffer.from('@', 'hex'))", KEY),
        ("users: [ {user: app, password: @} ]", PASSWORD),
        ("docker run -e DB_PASSWORD=@ shop/db", PASSWORD),
        ("set password \"@\"", PASSWORD),
        ("VALID_TOKEN = '@'.freeze", KEY),
        ("oauth_verifier: '@',", KEY),
        ("db_password = <<-EOT\n  @\nEOT\n", PASSWORD),
        ("PASS=\"${DB_PASSWORD:-@}\"", PASSWORD),
        (": ${DB_PASSWORD:-@}", PASSWORD),
        ("define ( \"SMTP_PASS\" , \"@\" );", PASSWORD),
        ("props.put(\"mail.smtp.password\", \"@\");", PASSWORD),
        ("val m = mapOf(\"accessToken\" to \"@\")", KEY),
        ("val m = Map(\"token\" -> \"@\")", KEY),
    ] {
        let value = expand(value);
        let text = form.replace('@', &value);
        assert_eq!(found(&text), [value], "{text}");
    }
}

#[test]
fn each_value_of_a_list_is_a_secret() {
    let (one, two) = (expand(PASSWORD), expand("{{alnum:14:q}}"));
    let text = format!("passwords = ['{one}', '{two}']");
    assert_eq!(found(&text), [one, two]);
}

#[test]
fn bytes_are_secrets_under_a_name_that_says_what_they_are_for() {
    let bytes = "0x9c, 0x12, 0xe4, 0x77, 0x5b, 0x03, 0xd8, 0x61";
    for text in [
        "secretKey := []byte{@}",
        "static char aes_key[8] = {@};",
        "#define AES_KEY {@}",
    ] {
        assert_eq!(found(&text.replace('@', bytes)), [bytes], "{text}");
    }
    for text in [
        "key := []byte{@}",
        "tokens = [@]",
        "hash_secret_sum := []byte{@}",
    ] {
        assert_eq!(found(&text.replace('@', bytes)), [""; 0], "{text}");
    }
}

#[test]
fn a_login_on_one_line_tells_its_password_from_code() {
    let password = expand("{{lower:5:h}}");
    let login = format!("auth: {{user: ivan, password: {password}}}");
    assert_eq!(found(&login), std::slice::from_ref(&password));
    for text in [
        "f({user: user, password: @})",
        "f({user: u.name, password: getting})",
        "f({a: b, password: @})",
    ] {
        assert_eq!(found(&text.replace('@', &password)), [""; 0], "{text}");
    }
}

#[test]
fn a_line_of_its_own_is_a_setting_where_it_is_no_name() {
    let password = expand("{{lower:14:h}}");
    let text = |value: &str| format!("def f():\n    x = get(1)\n    return x\npassword={value}\n");
    assert_eq!(found(&text(&password)), [password]);
    assert_eq!(found(&text("settings_password")), [""; 0]);
}

#[test]
fn an_at_sign_before_a_single_quote_opens_no_text() {
    let odd = expand(&format!("api_secret = @'{KEY}';"));
    assert_eq!(found(&odd), Vec::<String>::new());
    let text = expand(&format!("api_secret = @\"{KEY}\";"));
    assert_eq!(found(&text), [expand(KEY)]);
}

#[test]
fn short_hexadecimal_tokens_are_no_hashes() {
    let token = expand("a1{{hex:12:t}}");
    assert_eq!(found(&format!("\"API_TOKEN\" => \"{token}\"")), [token]);
}

#[test]
fn vendors_nearby_say_nothing_of_passwords() {
    let password = expand("{{lower:5:v}}");
    let text =
        format!("GITLAB_TOKEN: x\nSTRIPE_KEY: y\nDB_PASSWORD: \"{password}\"\nREDIS_HOST: z\n");
    assert_eq!(found(&text), [password]);
}

#[test]
fn the_password_of_anonymous_is_none() {
    let password = expand(PASSWORD);
    let text = |user: &str| format!("s->user = \"{user}\";\ns->password = \"{password}\";\n");
    assert_eq!(found(&text("anonymous")), [""; 0]);
    assert_eq!(found(&text("ivan")), [password]);
}

#[test]
fn what_a_cluster_sealed_is_no_secret() {
    let value = expand("AgB{{base64:700:s}}");
    assert_eq!(
        found(&format!("encryptedData:\n  password: {value}\n")),
        [""; 0]
    );
}

#[test]
fn what_is_no_secret_by_its_form_is_none() {
    for text in [
        "SAS_TOKEN=sv=2024-11-04&sr=c&se=2026-01-01T00:00:00Z&sp=rl",
        "salt = \"$abc$1te${{alnum:20:a}}\"",
        "AWS_SECRET_ACCESS_KEY={{hex:42:a}}",
        "AWS_SECRET_ACCESS_KEY={{base64:76:a}}==",
        "api_key = \"abc123def456{{text:ghi789jkl012mno345}}\"",
        "SDK_KEY=\"Aa1Bb2Cc3{{text:Dd4Ee5Ff6Gg7H}}\"",
        "stripe_key = \"pk_live_{{alnum:99:a}}\"",
        "\"password\": \"md5$seasalt${{hex:32:a}}\"",
        "\"auth-token\": \"npm:^4.{{digits:2:a}}.{{digits:2:b}}\"",
        "cluster_auth_base64 = \"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t{{alnum:80:a}}\"",
        "focusToken = '#00a885'",
        "URL_PASS=$PROTO://user:{{alnum:12:p}}@$DEST",
        "password: c29tZXRoaW5n{{text:Y2hhbmdlbWU=}}",
        "token = GetTokenFor(\"S-1-5-21-{{digits:9:a}}-{{digits:9:b}}\")",
        "pattern = \"s=(?<salt>{{alnum:12:p}}),i=\"",
        "/* a client identified by {{lower:8:p}} */",
        "<input name=\"csrfmiddlewaretoken\" value=\"{{alnum:64:a}}\">",
        "PublicKeyToken={{hex:16:a}}",
        "printf(\"LOGIN <user> <pass>\\n\", {{lower:5:a}});",
        "x = \"WHERE pass = '\".md5($password,{{lower:5:a}}).\"'\"",
        "GPG_KEY={{hexupper:40:a}}",
        "new PSCredential(\"{{alnum:12:a}}\", $secure)",
        "${API_TOKEN:?{{alnum:12:a}}}",
    ] {
        assert!(found(&expand(text)).is_empty(), "{text}");
    }
    for text in [
        "SAS_TOKEN=sv=2024-11-04&sr=c&se=2026-01-01T00:00:00Z&sp=rl&sig={{alnum:43:s}}%3D",
        "AWS_SECRET_ACCESS_KEY={{hex:64:a}}",
        "AWS_SECRET_ACCESS_KEY={{base64:40:a}}",
        "CREATE USER app IDENTIFIED BY {{lower:8:p}}9",
    ] {
        assert_eq!(found(&expand(text)).len(), 1, "{text}");
    }
}

#[test]
fn random_text_is_told_however_it_is_written() {
    for text in [
        "get(\"https://x.test/raw?private_token={{hex:14:t}}&ref=main\")",
        "curl -H \"X-App-Token: {{hex:35:t}}\" https://x.test/api",
        "client.SetAuthToken(\"{{hex:64:t}}\")",
        "users = [ {signing_key : {{upperalnum:56:t}}} ]",
        "\"tokens\": [\"{{hex:16:t}}\"]",
        "  key : \"{{base64:32:t}}\"",
    ] {
        assert_eq!(found(&expand(text)).len(), 1, "{text}");
    }
    for text in [
        "\"token\": \"BYRADIUS\"",
        "\"refresh_token\": \"quux\"",
        "api_key = {{text:settings}}.api_key",
    ] {
        assert!(found(&expand(text)).is_empty(), "{text}");
    }
}

#[test]
fn weak_passwords_are_passwords() {
    let year = 2000 + 14;
    for text in [
        format!("password = \"summer{year}!\""),
        format!("PASSWORD: Qwerty{}", 12),
        format!("user: joe\npwd: 'hunter{}x'", 3),
    ] {
        assert_eq!(found(&text).len(), 1, "{text}");
    }
}

#[test]
fn columns_of_tables_are_read() {
    for (text, expected) in [
        (
            "INSERT INTO users (id, password) VALUES (1, '@'), (2, '@2');",
            2,
        ),
        (
            "username,password\nada,@\nbob,@2\ncarol,\ndave,changeme\n",
            2,
        ),
        ("| user | password |\n|---|---|\n| ada | `@` |\n", 1),
        (
            "user,api_key,secret key\nada,@zQ7kM2pX9wLr4T,@yB8vN3mK6tHs5W\n",
            2,
        ),
        (
            "CREATE TABLE u (\n  id int,\n  password text\n);\nINSERT INTO u VALUES (1,'@');\n",
            1,
        ),
    ] {
        let text = template::expand("test", &text.replace('@', PASSWORD)).unwrap();
        assert_eq!(found(&text).len(), expected, "{text}");
    }
    // Hashes, salts, numbers, names of things.
    for text in [
        "INSERT INTO users (id, password) VALUES (1, '5f4dcc3b5aa765d61d8327deb882cf99'), (2, '*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19');",
        "user,password\nada,$2y$10$abcdefghijklmnopqrstuv\nbob,{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\ncarol,W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n",
        "user,password,salt\nada,@,x\n",
        "key,value\nalpha_beta,@\n",
        "| Token | Meaning |\n|---|---|\n| `mail` | mail |\n",
        "id,salt\n1,@\n",
        "INSERT INTO users (id, password) VALUES (1, ?), (2, :password), (3, 123456), (4, '')",
        "foo(user, password)\nVALUES (1, '@')\n",
    ] {
        let text = template::expand("test", &text.replace('@', PASSWORD)).unwrap();
        assert_eq!(found(&text), [""; 0], "{text}");
    }
}

#[test]
fn code_texts_and_names_are_no_secrets() {
    for text in [
        "password = getPassword()",
        "password: string",
        "password: Optional[str] = None",
        "secret_key = config.key",
        "api_key=None",
        "    password = password,",
        "password = form.password.data",
        "self.token = token",
        "token = lexer.next_token()",
        "password: ${DB_PASSWORD}",
        "password: <% vault %>",
        "password = \"%s\"",
        "\"password\": \"Enter your password\"",
        "<label for=\"password\">Password</label>",
        ".password-field { color: red; }",
        "PASSWORD_FIELD = \"password_field\"",
        "password_hash = \"{{hex:64:a}}\"",
        "tokenType: Bearer",
        "key: user.profile.name",
        "key = 'created_at'",
        "private_key: /etc/ssl/private/app.pem",
        "token_url = \"https://id.acme.io/oauth/token\"",
        "secretName: my-app-tls",
        "keyboard = \"{{hex:32:a}}\"",
        "public_key = \"{{base64:44:a}}\"",
        "it(\"resets the password\", function () {",
        "\"password=\" + password + \"&x=\"",
        "password = \"{{text:your}}-password\"",
        "password: <password>",
        "password: \"********\"",
        "WWW-Authenticate: Digest realm=\"r\", nonce=\"1053604144\"",
        "Authorization: Digest username=\"u\", realm=\"r\", nonce=\"83ba1c\", response=\"6af4d89c952f\"",
        "Authorization: AWS4-HMAC-SHA256 Credential=x/20260101/eu-west-1/s3/aws4_request, Signature=f73d31",
        "Sec-WebSocket-Key: NDMyMTUzMjE2MzIxNzMyMQ==",
        "'password' => env('DB_DIRECT_PASSWORD'),\n'sslmode' => env('DB_DIRECT_SSLMODE'),",
        "url = r'^(?P<user>\\w+):(?P<password>\\w+)@(?P<url>.*)$'",
        "'cnonce=\"[a-f0-9]{32}\"'",
        "password: [{ required: true, trigger: 'blur' }]",
        "if (typeof this.password === 'function') {",
        "token = fmt.Sprintf(\"jwt,pub-key=%s,sign-method=RS256\", key)",
        "key=\"\\x00\\x00\\x00\\x00_\\x00\\x00t\", value=\"x\"",
        "<password>{{{base64:44:a}}}</password>",
        "Authorization: Basic %b64[iam:myself]b64%",
        "Authorization: Basic {{encode:user:passwd}}",
        "Authorization: Bearer mF_9.{{text:B5f-4}}.1JqM",
        "auth='ntlm',",
        "sign_in(password: 'wrong_password')",
        "password = config[\"db\"][\"password\"]",
        "password = read(config['db']['password'])",
        "pass_mask: \"0x81103c1452dd61cd\"",
        "PASSWORD_SCHEME=SHA512-CRYPT",
        "password=open(\"https://h.io/x\")",
    ] {
        let text = expand(text);
        assert!(found(&text).is_empty(), "{text}: {:?}", found(&text));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_judged(text in "[ -~\n\t\"'=:(){}<>]{0,300}", cut in 0_usize..300) {
        let text = format!("{}password{}", &text.get(..cut).unwrap_or(""), text);
        let _ = found(&text);
    }

    #[test]
    fn what_the_first_look_rejects_is_never_judged_a_secret(text in "[a-z0-9 =:\"',\n]{0,60}") {
        let text = format!("password{text}");
        let hit = 0..4;
        if !look(text.as_bytes(), &hit) {
            prop_assert!(judge(text.as_bytes(), &hit, "password").secrets().is_empty());
        }
    }
}

/// Lines that look like assignments, wherever they are cut.
fn lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        6 => "[a-z_]{0,8}(password|pass|user|name)[\"']{0,3}( = |: |=|, |=>|: str = )[\"']{0,3}[A-Za-z0-9<({]{0,14}[\"'),;:=]{0,3}\n",
        2 => "[ -~]{0,40}\n",
        1 => "(value|\"value\"|default): [\"']{0,1}[A-Za-z0-9]{0,20}[\"']{0,1}\n",
        1 => Just("\n".to_owned()),
    ];
    proptest::collection::vec(line, 0..30).prop_map(|lines| lines.concat())
}

/// A judgement with its secret moved by `by`.
fn told(one: Judgement, by: isize) -> String {
    match one {
        Judgement::Nothing => "nothing".to_owned(),
        Judgement::Unlikely => "unlikely".to_owned(),
        Judgement::Secrets(all) => {
            let told = all.iter().map(|one| {
                let start = one.secret.start as isize + by;
                format!(
                    "{start} {} {:?} {:?}",
                    one.secret.len(),
                    one.confidence,
                    one.reasons
                )
            });
            told.collect::<Vec<_>>().join("\n")
        }
    }
}

/// What is made of a keyword when nothing is known of its lines.
fn anew(text: &[u8], hit: &Range<usize>) -> Judgement {
    if !look(text, hit) {
        return Judgement::Nothing;
    }
    let key = key::read(text, key::range(text, hit));
    let key = key.filter(|key| key.name.family.id == "password");
    key.map_or(Judgement::Nothing, |key| {
        let table = super::table::look(text, &key.range);
        let (key, readings) = readings(text, key, table.column);
        weigh(text, &key, &readings)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn what_is_known_of_lines_changes_nothing(text in lines()) {
        let lower = text.to_ascii_lowercase();
        for start in memchr::memmem::find_iter(lower.as_bytes(), "pass") {
            let hit = start..start + 4;
            let expected = told(anew(text.as_bytes(), &hit), 0);
            for _ in 0..2 {
                prop_assert_eq!(&told(judge(text.as_bytes(), &hit, "password"), 0), &expected);
            }
        }
    }

    #[test]
    fn what_is_not_seen_changes_nothing(text in lines(), other in lines(), more in lines()) {
        let lower = text.to_ascii_lowercase();
        for start in memchr::memmem::find_iter(lower.as_bytes(), "pass") {
            let hit = start..start + 4;
            // The judgement with other text around a part of this one.
            let elsewhere = |reach: Reach| {
                let start = hit.start.checked_sub(reach.before);
                let end = hit.end + reach.after;
                let before = start.map_or("", |_| other.as_str());
                let after = if end > text.len() { "" } else { more.as_str() };
                let part = start.unwrap_or(0)..text.len().min(end);
                let by = before.len() as isize - part.start as isize;
                let moved = [before.as_bytes(), &text.as_bytes()[part], after.as_bytes()].concat();
                let at = |place: usize| place.checked_add_signed(by).unwrap();
                told(anew(&moved, &(at(hit.start)..at(hit.end))), -by)
            };
            let whole = told(anew(text.as_bytes(), &hit), 0);
            prop_assert_eq!(&whole, &elsewhere(sees(text.as_bytes(), &hit)));
            let read = elsewhere(reads(text.as_bytes(), &hit));
            prop_assert_eq!(whole == "nothing", read == "nothing");
        }
    }
}
