"""URLs that lead into the house, or nowhere: for every field in which somebody may write a URL."""

# Refused by their looks, before anything is looked up, while the setting OUTGOING_NETWORKS opens nothing.
HOSTILE_URLS = (
    # Other schemes
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_INFO",
    "ftp://partner.example/metadata.xml",
    "dict://127.0.0.1:11211/stats",
    "data:application/json,{}",
    "javascript:alert(1)",
    "//partner.example/x",
    "partner.example/x",
    "https:partner.example",
    "http://partner.example/x",
    # The machine itself
    "https://localhost/x",
    "https://LOCALHOST./x",
    "https://admin.localhost/x",
    "https://127.0.0.1/x",
    "https://127.0.0.1./x",
    "https://127.8.8.8:8443/x",
    "https://0.0.0.0/x",
    "https://[::1]/x",
    "https://[::]/x",
    # An IPv4 address spelled otherwise
    "https://2130706433/x",
    "https://0x7f000001/x",
    "https://0x7f.0.0.1/x",
    "https://017700000001/x",
    "https://0177.0.0.1/x",
    "https://127.1/x",
    "https://127.0.1/x",
    "https://127.0.0.01/x",
    "https://127。0。0。1/x",
    "https://①②⑦.⓪.⓪.①/x",
    "https://3639553113/x",
    # Inner networks
    "https://10.0.0.5/x",
    "https://172.16.0.1/x",
    "https://192.168.1.1/x",
    "https://100.64.0.1/x",
    "https://198.18.0.1/x",
    "https://192.0.0.8/x",
    "https://192.0.2.1/x",
    "https://192.88.99.1/x",
    "https://224.0.0.1/x",
    "https://240.0.0.1/x",
    "https://255.255.255.255/x",
    "https://[fc00::1]/x",
    "https://[fd12:3456::1]/x",
    "https://[fe80::1]/x",
    "https://[fe80::1%25eth0]/x",
    "https://[fe80::1%eth0]/x",
    "https://[fec0::1]/x",
    "https://[2606:4700:4700::1111%25eth0]/x",
    "https://[ff02::1]/x",
    "https://[2001:db8::1]/x",
    "https://[100::1]/x",
    # What hands out a machine's credentials
    "https://169.254.169.254/latest/meta-data/",
    "https://[fd00:ec2::254]/latest/meta-data/",
    "https://168.63.129.16/machine?comp=goalstate",
    "https://100.100.100.200/latest/meta-data/",
    "https://metadata.google.internal/computeMetadata/v1/",
    # IPv6 that leads to IPv4
    "https://[::ffff:127.0.0.1]/x",
    "https://[::ffff:7f00:1]/x",
    "https://[0:0:0:0:0:ffff:169.254.169.254]/x",
    "https://[::127.0.0.1]/x",
    "https://[2002:7f00:1::]/x",
    "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/x",
    "https://[64:ff9b::10.0.0.1]/x",
    "https://[64:ff9b:1::10.0.0.1]/x",
    # Names of the house
    "https://intranet/x",
    "https://printer.local/x",
    "https://db.prod.internal/x",
    "https://router.home.arpa/x",
    # Parsers that disagree
    "https://partner.example@127.0.0.1/x",
    "https://127.0.0.1@partner.example/x",
    "https://user:password@partner.example/x",
    "https://partner.example\\@127.0.0.1/x",
    "https://127.0.0.1\\.partner.example/x",
    "https://127.0.0.1#@partner.example/",
    "https://127.0.0.1?@partner.example/",
    "https://partner.example /x",
    "https://partner.example\t/x",
    "https://partner.example\r\nHost: 127.0.0.1/x",
    "https://partner.example%00.evil.example/x",
    "https://[::1/x",
    "https:///x",
    "https://",
    "",
    # Not for HTTP
    "https://partner.example:22/x",
    "https://partner.example:25/x",
    "https://partner.example:6000/x",
    "https://partner.example:99999/x",
    "https://partner.example:port/x",
)

# Refused with whatever the operator may have opened.
ALWAYS_HOSTILE_URLS = tuple(
    url
    for url in HOSTILE_URLS
    if any(
        part in url
        for part in (
            *("file:", "gopher:", "ftp:", "dict:", "data:", "javascript:", "169.254", "fd00:ec2", "168.63", "100.100"),
            *(
                "fe80",
                "@partner.example/x",
                "user:pass",
                "\\",
                "%00",
                "2130706433",
                "0x7f",
                "0177",
                "01770",
                ":22/",
                ":25/",
            ),
        )
    )
)

FRIENDLY_URLS = (
    "https://login.partner.example",
    "https://login.partner.example/realms/staff/",
    "https://login.partner.example:8443/metadata.xml?entity=portal",
    "HTTPS://Login.Partner.Example/x",
    "https://münchen.example/x",
    "https://8.8.8.8/x",
    "https://[2606:4700:4700::1111]/x",
    "https://[64:ff9b::8.8.8.8]/x",
    "https://[::ffff:8.8.8.8]/x",
    "https://login.partner.example./x",
)
