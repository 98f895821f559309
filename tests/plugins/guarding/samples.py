"""Values that are found, and what looks like them and is none."""

from __future__ import annotations

import base64

KEY_BODY = (
    "Q7f2LmZ9xVb4Rk8TnW3yHs6PdJc5GgA1uEoXiKqMzYtBvNrSwDhUeFaCpOjIl0Q7f2LmZ9xVb4Rk8TnW3yHs6PdJc5GgA1uEoXiKqMzYtBvNrSw"
)
HEX_BODY = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_PEM_BODY = "\n".join(base64.b64encode(bytes(range(n, n + 48))).decode() for n in range(0, 96, 8))

PRIVATE_KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{_PEM_BODY}\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"

PERSONAL: dict[str, tuple[str, ...]] = {
    "EMAIL_ADDRESS": ("bob@acme.com", "anna.o-neil+news@mail.example.co.uk", "jürgen@bücher.de", "A_B%c@x-y.museum",
                      "ime@firma.rs", "ann@nas.lan", "ann@почта.рф", "ann@xn--bcher-kva.xn--p1ai", "wang@163.com",
                      "libstdc++@gcc.gnu.org"),
    "PHONE_NUMBER": (
        "(555) 123-4567", "212-555-0143", "1-800-555-0199 x123", "+44 20 7946 0958", "+49 (0)30 901820",
        "+919876543210", "020 7946 0958", "030 901820", "06 12 34 56 78", "612 34 56 78", "0033 1 42 68 53 00",
        "030/90 18 20", "(0711) 12345-67", "0711 12345-67", "030 - 901820", "01632-960001", "06.12.34.56.78",
        "347 1234567", "212 555 0143", "212.555.0143",
    ),
    "US_SSN": ("123-45-6789", "123 45 6789", "123.45.6789", "123/45/6789"),
    "CREDIT_CARD": (
        "4111111111111111", "4111 1111 1111 1111", "5555-5555-5555-4444", "3782 822463 10005", "6011.1111.1111.1117",
        "30569309025904", "3530/1113/3330/0000", "6304000000000000", "3056 930902 5904", "4222 222 222 222",
        "6304 0000 0000 0000 000",
    ),
    "IP_ADDRESS": ("10.20.30.40", "192.168.1.17", "2001:db8::8a2e:370:7334", "fe80::1", "::ffff:10.20.30.40",
                   "2001:0db8:85a3:0000:0000:8a2e:0370:7334", "2001:db8::", "fd12::1", "ff02::fb", "abc:12::1"),
    "IBAN_CODE": ("DE89370400440532013000", "GB82 WEST 1234 5698 7654 32", "FR14 2004 1010 0505 0001 3M02 606",
                  "es9121000418450200051332", "NO93-8601-1117-947"),
    "UK_NHS": ("943 476 5919",),
    "ES_NIF": ("12345678Z", "X1234567L", "12.345.678-Z"),
    "IT_FISCAL_CODE": ("RSSMRA85T10A562S", "rssmra85t10a562s"),
    "DE_TAX_ID": ("86 095 742 719",),
    "FR_INSEE": ("1 84 12 76 451 089 46", "184127645108946"),
}  # fmt: skip
"""Values that need no word before them."""

LABELLED: dict[str, tuple[tuple[str, str], ...]] = {
    "PHONE_NUMBER": (
        ("Call me at ", "2125550143"), ("tel: ", "555-0143"), ("Tel. ", "00695 848304"), ("call ", "0067033167"),
        *((f'"{name}": "', "4155552671") for name in (
            "phoneNumber", "PhoneNo", "mobileNumber", "telephoneNumber", "homePhone", "userPhone", "faxNumber",
        )),
        ("phone ", "0171  12 34-567"), ("tel ", "55272 - 19718"),
        *((label, "4155552671") for label in (
            "call ", "call: ", "text ", "Text: ", "call/text ", "ring ", "cell ", "Cell: ", "cell no. ", "cell # ",
            "**Cell:** ", "| cell | ", '"cell": "', '"contact": "', "contact ", "contact number: ", "call me ",
            "text me at ", "call me later, my number is ", "contact us on ", "call our support line at ", "Call NOW: ",
            "call\n", "<b>Call</b> ", "<td>Cell</td><td>", "call `", "call \u201c", "Cell (work): ", "a call from ",
            "text STOP to ", "call Dr. Smith at ", "Contact: Ann Smith, ", "call the office at ", "call mom on ",
            "call (", "call Ann Smith at ", "text my wife on ",
        )),
    ),
    "US_SSN": (
        ("my SSN is ", "123456789"),
        *((f'"{name}": "', "123456789") for name in (
            "ssnNumber", "customerSsn", "socialSecurityNumber", "tax_id", "taxId",
        )),
    ),
    "CREDIT_CARD": (
        ("credit card ", "1354 1001 4004 955"), ("Card no. ", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"),
        ("visa: ", "4111-1111 1111/1111"), ("card ", "41 11 11 11 11 11 11 11"),
        *((f'"{name}": "', "9999999999999995") for name in ("cardNumber", "cardNo", "ccNumber", "customerPan")),
    ),
    "UK_NHS": (
        ("NHS number ", "9434765919"),
        *((f'"{name}": "', "9434765919") for name in ("nhsNumber", "NHSNumber", "patientId", "patient_id")),
    ),
    "DE_TAX_ID": tuple((name, "86095742719") for name in (
        "Steuer-ID: ", "Steueridentifikationsnummer: ", "Meine Steueridentifikationsnummer lautet ",
        "Identifikationsnummer ", "IdNr. ", '"steuerIdentifikationsnummer": "',
    )),
    "DATE_OF_BIRTH": (
        ("born on ", "4 July 1976"), ("DOB: ", "1980-02-03"), ("date of birth: ", "02/03/1980"),
        ("geboren am ", "3. März 1980"), ("née le ", "3 février 1980"), ("Birthday: ", "May 4th, 1976"),
        ("fecha de nacimiento: ", "3 de febrero de 1980"), ("| DOB | ", "01/02/1980"), ("birth_day: ", "1980-02-03"),
        ("date-of-birth: ", "1980-02-03"), ('"dateOfBirth": "', "1980-02-03"), ('"patientBirthDate": "', "1980-02-03"),
        ('"fechaNacimiento": "', "1980-02-03"), ("DOB is “", "1980-02-03"), ("DOB:             ", "1980-02-03"),
    ),
    "LABELLED_TOKEN": (
        ("api_key=", HEX_BODY[:32]), ('"client_secret": "', KEY_BODY[:40]), ("Authorization: Bearer ", KEY_BODY[:30]),
        *((label, "vQ9xL2mZ7tRk4WnB8s") for label in (
            "DB_PASSWORD=", "DB_PASS=", "dbPass: ", "passphrase: ", "pwd=", "private_key: ", "signing_key = ",
            "encryptionKey: ", "credentials: ", '"authorization": "Basic ', "password: “", "password is «",
            "password            ", "db_password   :             ",
        )),
        ("password: ", "Ed25519PrivateKey"), ("token=", "OAuth2AccessToken"), ("token: '", "OAuth2AccessToken"),
        ("private_key: ", "vQ9xL2mZ7tRk4WnBKey"), ("token: ", "Vq9xlmzTrkWnbQqToken8"),
        ("secret(", "vQ9xL2mZ7tRk4WnB8s="), ("secret_key: ", "/wJalrXUtnFEMI7K/MDENGbPxRfi3CYq"),
        ("secret: ", "my-app-x7Kq2Lm9-v2"), ("password: ", "correct-horse-battery-2024"),
        *((label, "xK9#mP2$vL5*nQ8@wR3") for label in ("password: ", "DB_PASSWORD=", "secret = '", '"pwd": "')),
    ),
}  # fmt: skip
"""Values that only the words before them give away: words, value."""

SECRETS: dict[str, tuple[str, ...]] = {
    "OPENAI_KEY": (f"sk-proj-{KEY_BODY[:48]}", f"sk-{KEY_BODY[:48]}"),
    "ANTHROPIC_KEY": (f"sk-ant-api03-{KEY_BODY[:80]}-AA",),
    "AWS_ACCESS_KEY": ("AKIAIOSFODNN7EXAMPLE", "ASIAQ7F2LMZ9XVB4RK8T"),
    "GITHUB_TOKEN": (f"ghp_{KEY_BODY[:36]}", f"github_pat_{KEY_BODY[:22]}_{KEY_BODY[:59]}"),
    "GITLAB_TOKEN": tuple(f"{kind}{KEY_BODY[:20]}" for kind in ("glpat-", "gloas-", "glagent-", "glwt-", "GR1348941")),
    "SLACK_TOKEN": (
        f"xoxb-123456789012-{KEY_BODY[:24]}",
        f"xoxc-123456789012-345678901234-{HEX_BODY}",
        f"xoxd-{KEY_BODY[:60]}%2B{KEY_BODY[60:70]}%3D",
    ),
    "SLACK_WEBHOOK": tuple(
        f"https://hooks.slack.com/{way}/T0123456789/{KEY_BODY[:40]}" for way in ("services", "workflows", "triggers")
    ),
    "STRIPE_KEY": (f"sk_live_{KEY_BODY[:24]}", f"sk_org_live_{KEY_BODY[:60]}"),
    "GOOGLE_API_KEY": (f"AIza{KEY_BODY[:35]}", f"AQ.Ab8RN6{KEY_BODY[:44]}"),
    "GOOGLE_OAUTH_TOKEN": (f"ya29.{KEY_BODY[:90]}", f"ya29.c.b0A{KEY_BODY[:90]}", f"1//03{KEY_BODY[:60]}"),
    "AWS_SESSION_TOKEN": (f"IQoJb3JpZ2luX2VjE{KEY_BODY * 9}==", f"FwoGZXIvYXdzE{KEY_BODY}"),
    "AWS_BEDROCK_KEY": (f"ABSKQmVkcm9ja0FQSUtleS{KEY_BODY}=",),
    "AZURE_STORAGE_KEY": (f"AccountKey={KEY_BODY[:86]}==",),
    "AZURE_SIGNATURE": (f"sig={KEY_BODY[:30]}%2B{KEY_BODY[:12]}%3D",),
    "AZURE_CLIENT_SECRET": (f"x1Y8Q~{KEY_BODY[:34]}",),
    "HUGGINGFACE_TOKEN": (f"hf_{KEY_BODY[:34]}", f"api_org_{KEY_BODY[:34]}"),
    "DATABRICKS_TOKEN": (f"dapi{HEX_BODY[:32]}", f"dose{HEX_BODY[:32]}"),
    "TELEGRAM_TOKEN": (f"7123456789:AA{KEY_BODY[:33]}",),
    "TERRAFORM_TOKEN": (f"{KEY_BODY[:14]}.atlasv1.{KEY_BODY[:65]}",),
    "AIRTABLE_TOKEN": (f"pat{KEY_BODY[:14]}.{HEX_BODY}",),
    "ATLASSIAN_TOKEN": (f"ATATT3xFfGF0{KEY_BODY}=1A2B3C4D",),
    "BREVO_KEY": (f"xkeysib-{HEX_BODY}-{KEY_BODY[:16]}",),
    "CIRCLECI_TOKEN": (f"CCIPAT_{KEY_BODY[:22]}_{HEX_BODY[:40]}",),
    "DISCORD_WEBHOOK": (f"discord.com/api/webhooks/123456789012345678/{KEY_BODY[:68]}",),
    "DOPPLER_TOKEN": (f"dp.pt.{KEY_BODY[:43]}",),
    "DYNATRACE_TOKEN": (f"dt0c01.{KEY_BODY.upper()[:24]}.{KEY_BODY.upper()[:64]}",),
    "ELEVENLABS_KEY": (f"sk_{HEX_BODY[:48]}",),
    "FIGMA_TOKEN": (f"figd_{KEY_BODY[:40]}",),
    "LANGSMITH_KEY": (f"lsv2_pt_{HEX_BODY[:32]}_{HEX_BODY[:10]}",),
    "LINEAR_KEY": (f"lin_api_{KEY_BODY[:40]}",),
    "NETLIFY_TOKEN": (f"nfp_{KEY_BODY[:36]}",),
    "NOTION_TOKEN": (f"ntn_{KEY_BODY[:46]}", f"secret_{KEY_BODY[:43]}"),
    "NVIDIA_KEY": (f"nvapi-{KEY_BODY[:64]}",),
    "ONEPASSWORD_TOKEN": (f"ops_eyJ{KEY_BODY * 3}",),
    "PINECONE_KEY": (f"pcsk_{KEY_BODY[:6]}_{KEY_BODY[:63]}",),
    "PLANETSCALE_TOKEN": (f"pscale_tkn_{KEY_BODY[:43]}",),
    "PULUMI_TOKEN": (f"pul-{HEX_BODY[:40]}",),
    "RUBYGEMS_KEY": (f"rubygems_{HEX_BODY[:48]}",),
    "SENTRY_TOKEN": (f"sntryu_{HEX_BODY}", f"sntrys_{KEY_BODY}=_{KEY_BODY[:43]}"),
    "SONAR_TOKEN": (f"squ_{HEX_BODY[:40]}",),
    "SUPABASE_KEY": (f"sbp_{HEX_BODY[:40]}", f"sb_secret_{KEY_BODY[:22]}_{KEY_BODY[:8]}"),
    "TAILSCALE_KEY": (f"tskey-auth-{KEY_BODY[:17]}-{KEY_BODY[:32]}",),
    "TAVILY_KEY": (f"tvly-dev-{KEY_BODY[:32]}",),
    "TEAMS_WEBHOOK": (f"webhook.office.com/webhookb2/{HEX_BODY}@{HEX_BODY}/IncomingWebhook/{HEX_BODY[:32]}/1a",),
    "NPM_TOKEN": (f"npm_{KEY_BODY[:36]}",),
    "PYPI_TOKEN": (f"pypi-AgEIcHlwaS5vcmc{KEY_BODY[:80]}",),
    "SENDGRID_KEY": (f"SG.{KEY_BODY[:22]}.{KEY_BODY[:43]}",),
    "TWILIO_KEY": (f"SK{HEX_BODY[:32]}",),
    "JSON_WEB_TOKEN": (JWT,),
    "PRIVATE_KEY": (PRIVATE_KEY, PRIVATE_KEY.replace("\n", "\\n")),
    "CONNECTION_STRING": (
        "postgres://bob:hunter2@db.internal:5432/app",
        "mongodb+srv://a:b%40c@cluster0.x.net/?w=1",
        "jdbc:postgresql://db:5432/app?user=app&password=S3cr3t",
        "jdbc:oracle:thin:scott/tiger99@//db:1521/ORCL",
        "jdbc:sqlserver://db:1433;databaseName=app;user=sa;password=S3cr3t!;encrypt=true",
        r"Server=.\SQLEXPRESS;Initial Catalog=app;User Id=sa;Password=S3cr3t!x;TrustServerCertificate=True",
        "Data Source = db; User ID = sa; Password = S3cr3t9",
        "Pwd=S3cr3t;Uid=sa",
        "Server=db;User Id=app;Password=%21S3cr3t",
        "postgres://bob:%21S3cr3t@db.internal/app",
        "postgres://bob:xx1xx@db.internal/app",
        "postgres://bob:1111@db.internal/app",
        "postgres://bob:correct.horse@db.internal/app",
        "host=db user=a password=S3cr3t dbname=x",
    ),
}

HARMLESS = (
    "1700000000", "1700000000000", "1700000000000000", "490154203237518", "353918052107063", "1Z999AA10123456784",
    "9400 1000 0000 0000 0000 00", "420 94107 9200 1902 3456", "v1.2.3.4", "version 10.4.2.1", "Chrome/126.0.0.0",
    "3.11.7", "1.3.6.1.4.1.311.21.20", "3f2b8c1e-1111-4222-8333-123456789012", "12345678-1234-1234-1234-123456789012",
    "114-3941689-8772232", "2024-01-15", "15.01.2024 14:30", "01/02/2024", "2024-01-15T12:30:45.123456Z", "12:30:45",
    "order 8675309", "order number 2025550143", "0.4111111111111111", "127.0.0.1", "0.0.0.0", "std::vector<int>",
    "a::b::c1", "00:1a:2b:3c:4d:5e", "icon@2x.png", "git@github.com:org/repo.git", "@decorator", "user@host",
    "000-12-3456", "666-12-3456", "123-00-4567", "1,234,567.89", "1.234.567,89", "612.345.678", "1234 5678 9012",
    "order 00695 848304", "call 001234", "0067033167",
    "4111 1111 1111 1112", "DE89370400440532013001", "sk-xxxxxxxxxxxxxxxxxxxxxxxx", "sk-learn-is-a-library-for-python",
    "the token is a string", "Server=db;User Id=sa;Password=${PW}", "user=request.user; password=request.password",
    "jdbc:postgresql://db:5432/app?user=app", "jdbc:mysql://db/app?password=<password>", "user = a; password = ask();",
    "host=web1 status=200 user=4", "netmask 255.255.255.0",
    "password=${DB_PASSWORD}", "postgres://user:${PASSWORD}@host/db", "https://acme.com/a:b@c",
    "AKIA", "the api_key parameter", "-----BEGIN CERTIFICATE-----",
    "eyJub3QiOiJhIGtleSJ9.eyJub3Qi.abcdefghijklmnopqrst",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709", "12345678A", "RSSMRA85T10A562T", "1 84 12 76 451 089 47",
    # lists of files and processes
    "-rw-r--r-- root/root      5681 2025-04-28 14:11 usr/bin/x", "-rw-r--r-- 1 root root 3389 2025-04-28 14:11 x.py",
    "    32  2025-04-28 14:11   x.py", "root 7077 15.1  1.7 908236 444060 ?", "0: 0100007F:A433 06 00000000:00000000",
    # columns of figures, coordinates, colours, ranges
    "0.1775  87.1405", "[36157 92032 97709]", "0123 0456 0789 0111", "36.97498 52.20163", "POINT(61.5191275 96.006288)",
    "-3436-05827", "rgba(199 195 225 / 51%)", "pages 55272 - 19718", "(3353 - 3963 / 6666)", "8b 04 25 28 00 48",
    "12 549 491 2300 4020 2559 2574", "8067 879 731 1257", "75'098 10 455 802 kr", "010 455 802,00",
    "4111-1111 1111/1111",
    "viewBox=\"100 50 1200 800\"", "sizes: 640 480 320", "hidden 128 64 1024", "kernel 512 64 2048", "100 50 1000",
    "hidden 128-256-1024", "256-512-1024", "512-256-128", "300-500-1000 ms", "[[612 345 678]\n [712 934 881]]",
    "7 345 67 8901", "123 45 6789 23", "943 476 5919 12", "12 943 476 5919", "3 212 555 0143", "86 095 742 719 3",
    "9632 4111 1111 1111 1111", "4111 1111 1111 1111 5476", "4111/1111/1111/1111/5476",
    # amounts
    *(f"812{gap}456{gap}789 {unit}" for gap in " \u00a0\u202f" for unit in (
        "euros", "EUR", "€", "kr", "Kč", "zł", "Ft", "lei", "рублей", "₽", "%",
    )),
    "612 345 678,50", "612 345 678 901", "2\u00a0612\u00a0345\u00a0678", "$612 345 678", "€ 612 345 678",
    "chiffre d'affaires : 612 345 678", "total 655 321 987", "Budget: 612 345 678",
    # dates and versions in three parts
    "101/12/2023", "version 184.21.5301", "driver 551.23.1234", "Chrome 120.10.6099", "tool==120.10.6099",
    "1.120.10.6099", "Edge/131.22.2903", "build 212.555.0143",
    # sums
    "total = 1200 + 4930901820", "days = 365 + (2000 - 1972)", "a = b + 98172488", "f(x) + 4930901820",
    "(a)+(2000 - 1972)", "x[0]  + 33123456789", "+(2000 - 1972)",
    # decimals and floats
    "loss = 1.06156156e-06", "[1.82126812e-10, 2.5]", "x = 24.860733740866724", "0.06156156f", "06156156e-06",
    "06156156e\u221206", "82126812E+10", "NHS 0.9434765919", "Steuer-ID 0.86095742719", "SSN ratio 0.123456789",
    "0.1841276451089 46",
    # words that have more to do than to say that a telephone rings
    '{"content":[{"type":"text","text":"Order 12345678 is ready"}]}', '{"type": "text", "node_id": 1234567}',
    '{"type": "text", "text": "0123456789"}', '{"text": 1234567}', '<text x="152.34375" y="48.28125">A</text>',
    "<text>12345678</text>", "The call took 0.12345678 seconds; the call returned 1700000000.",
    "ring buffer of 16777216 bytes", '"call_id": "6502532222"', "call(1234567)", 'check_call(["-s", "5368709120"])',
    "tool.call 1234567", ".text 00401000", "call_1700000000", "call stack depth 1000000", "plt.text(0.12345, 0.98765)",
    "phone 0.12345678", "text 0.12345678", r"\text{0.14285714}", "cell(12345678)",
    # postal codes
    "Boston, MA 02110-1301, USA", "Redmond, WA 98052-6399", "Boston, MA\n# 02110-1301", '"zipCode": "02110-1301"',
    "Boston, Massachusetts 02110-1301", "Phone us. Redmond, WA 98052-6399",
    # versions in four parts
    "opencv-python==4.9.0.80", "opencv-python>=4.9.0.80,<5", "typing-extensions (>= 3.7.4.1)", "foo-1.2.3.4.tar.gz",
    "opencv_python-4.9.0.80-cp37-abi3-linux_x86_64.whl", "tool 1.2.3.4.zip", 'AssemblyVersion("1.0.0.1")',
    "Version     : 4.9.0.80", "Version:         4.9.0.80",
    # object identifiers
    'ObjectIdentifier("2.5.29.15")', "object identifier 1.3.132.0", "The OID of commonName is 2.5.4.3.", "2.5.29.17",
    "OBJECT IDENTIFIER 2.5.4.10", "id-Ed448 is 1.3.101.113",
    # what programs write with an `@` in it
    "this@MainActivity.finish()", "this@Outer.name", "super@Outer.id", "q@k.transpose(-2, -1)", "x@w.to(device)",
    "y = x@self.weight", "getty@tty1.service", "office@client.timer", "photo@2x.avif", "icon@3x.ai", "logo@dark.png",
    "foo@bar.js:12:3", "panic@main.rs:12", "update@App.vue", "$TOKEN@gitlab.com", "https://oauth2:$TOKEN@gitlab.com/a",
    "react@18.3.0-canary.abc", "total+@order.name", "backup@2024.zip", "mail: logo@2x.png", "a@b.py",
    # what has colons: code, names of eight bytes
    "arr[100::2]", "data[2048::4]", "mask[::256]", "use abc::*;", "use feed::{Entry, Feed};", "Feed::$table",
    "face::<T>()", "abc::add(1, 2)", "use dead::beef;", "add::Int", "WWPN 50:06:01:60:3b:a0:12:34",
    "24:8a:07:03:00:8a:5c:1e",
    # connection strings without a password
    'fmt.Sprintf("postgres://%s:%s@%s:%d/%s", user, pw, host, port, db)', "mongodb://%v:%v@%v", "redis://:%s@%s:%d/0",
    *(f"postgres://user:{password}@db.acme.com/app" for password in (
        "YOUR_PASSWORD", "your-password", "yourpassword", "db_password", "xxxxx", "XXXX", "REDACTED", "changeme", "...",
        "change_me", "******", "%PASSWORD%",
    )),
    "Server=db;User Id=app;Password=changeme", "Server=db;User Id=app;Password=xxxxx",
    # code behind words for secrets
    "auth_token = base64.b64encode(auth_value)", "api_key=settings.OPENAI_API_KEY_2", "password = DB_PASSWORD_2_OLD",
    "secret = make_secret_of_32(x)", "PWD=/srv/app1/src/project22", "private_key: ed25519.Ed25519PrivateKey",
    "private_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)", "new_token(max_age_seconds=3600)",
    "token = create_access_token(expires_minutes=60)", "private_key: /etc/ssl/private/server-2024.key",
    "api_key: /v1/keys/rotate-2024", "secret: my-app-credentials-v2", "secret: nginx-tls-cert-2024",
    "password: ^[A-Za-z0-9!@#$%^*]+$", "secret: arn:aws:secretsmanager:eu-1:123456789012:secret:db-AbC",
    "def sign(private_key: Ed25519PrivateKey) -> bytes:", "def login(token: OAuth2AccessToken)",
    "class _X25519PrivateKey(X25519PrivateKey):", "token: OAuth2PasswordBearerToken",
    "private_key: Ed25519PrivateKey | None = None", "access_token: OAuth2AccessTokenResponse",
    "password=$DB_PASSWORD_2024!", "password: 'correct-horse-battery!1'",
)  # fmt: skip
"""What must be left alone."""
