//! Domains below which names belong to many owners.
//!
//! The whole Public Suffix List is ten times what is needed here and would be compiled with every build; these are its second levels of
//! countries, and those of its private part that people meet in policies.

/// Whether everybody can get a name directly below a domain, from a registry or as a customer.
pub(crate) fn is_shared(domain: &str) -> bool {
    SHARED.binary_search(&domain).is_ok() || is_of_registry(domain)
}

/// Whether a registry of a country gives away the names directly below a domain.
pub(crate) fn is_of_registry(domain: &str) -> bool {
    let Some((second, country)) = domain.split_once('.') else { return false };
    let known = REGISTRIES.iter().find(|(it, _)| *it == second);
    known.is_some_and(|(_, countries)| countries.split(' ').any(|it| it == country))
}

/// Second levels that registries of countries sell names below, each with its countries. Source: the ICANN section of the Public Suffix
/// List.
const REGISTRIES: &[(&str, &str)] = &[
    (
        "ac",
        "ae at bd be bw ci ck cn cr cy eg er fj fk gn id il im in ir jm jp ke kr lk ls ma me ml mm mu mw mz ni np nz pa pg pk pr \
         rs rw se sz th tz ug uk vn za zm zw",
    ),
    (
        "co",
        "ae ag am ao at az bb bd bi bj bw bz ci ck cl cm cr dm er fk gg gl gy hu id il im in io ir it je jm jp ke kr lc ls ma me \
         mg mm mu mw mz na ni np nz om pg pn rs rw ss st sz th tj tm tt tz ug uk us uz ve vi za zm zw",
    ),
    (
        "com",
        "ac af ag ai al am ar au aw az ba bb bd bh bi bj bm bn bo br bs bt by bz ci ck cm cn co cu cv cw cy dm do dz ec ee eg er \
         es et fj fk fm fr ge gh gi gl gn gp gr gt gu gy hk hn hr ht im in io iq jm jo kg kh ki km kp kw ky kz la lb lc lk lr lv \
         ly mg mk ml mm mo ms mt mu mv mw mx my na nf ng ni np nr om pa pe pf pg ph pk pl pr ps pt py qa re ro sa sb sc sd sg sh \
         sl sn so ss st sv sy tj tm tn to tr tt tw ua ug uy uz vc ve vi vn vu ws ye zm",
    ),
    (
        "edu",
        "ac af al ao ar au az ba bb bd bh bi bj bm bn bo br bs bt bz ci ck cn co cu cv cw dm do dz ec ee eg er es et fj fk fm gd \
         ge gh gi gl gn gp gr gt gu gy hk hn ht in io iq it jm jo kg kh ki km kn kp kw ky kz la lb lc lk lr ls lv ly me mg mk ml \
         mm mn mo ms mt mv mw mx my mz ng ni np nr om pa pe pf pg ph pk pl pn pr ps pt py qa rs sa sb sc sd sg sl sn so ss st sv \
         sy tj tm to tr tt tw ua ug uy vc ve vg vn vu ws ye za zm",
    ),
    (
        "gob",
        "ar bo ck cl cu do ec er es fk gt hn jm mm mx ni np pa pe pg pk sv ve",
    ),
    (
        "gov",
        "ac ae af al ao ar as au az ba bb bd bf bh bm bn br bs bt bw by bz cd ck cl cm cn co cx cy cz dm do dz ec ee eg er et fj \
         fk gd ge gh gi gn gr gu gy hk ie il in io iq ir it jm jo kg kh ki km kn kp kw kz la lb lc lk lr ls lt lv ly ma me mg mk \
         ml mm mn mo mr ms mu mv mw my mz na ng np nr om pg ph pk pl pn pr ps pt pw py qa rs rw sa sb sc sd sg sh sl so ss sx sy \
         tj tl tm tn to tr tt tw ua ug uk vc ve vn ws ye za zm zw",
    ),
    (
        "go",
        "ci ck cr er fk id it jm jp ke kr mm np pg th tj tz ug",
    ),
    (
        "ltd",
        "ck cy er fk gi jm lk mm np pg uk",
    ),
    (
        "me",
        "ck eg er fk in it jm ke kr mm np pg so ss tz uk us",
    ),
    (
        "net",
        "ac ae af ag ai al am ar au az ba bb bd bh bj bm bn bo br bs bt bw bz ci ck cm cn co cu cv cw cy dm do dz ec eg er et fj \
         fk fm ge gg gh gl gn gp gr gt gu gy hk hn ht id il im in io iq ir je jm jo kg kh ki kn kw ky kz la lb lc lk lr ls lv ly \
         ma me mk ml mm mo ms mt mu mv mw mx my mz na nf ng ni np nr nz om pa pe pg ph pk pl pn pr ps pt py qa rw sa sb sc sd sg \
         sh sl so ss st sy th tj tm tn to tr tt tw ua uk uy uz vc ve vi vn vu ws ye za zm",
    ),
    (
        "ne",
        "ck er fk jm jp ke kr mm np pg tz ug us",
    ),
    (
        "nom",
        "ag ck co er es fk fr io jm km mg mm nc ni np pa pe pg pl ro tm ve za",
    ),
    (
        "org",
        "ac ae af ag ai al am ao ar au az ba bb bd bh bi bj bm bn bo br bs bt bw bz ci ck cn co cu cv cw cy dm do dz ec ee eg er \
         es et fj fk fm ge gg gh gi gl gn gp gr gt gu gy hk hn ht hu il im in io iq ir je jm jo kg kh ki km kn kp kw ky kz la lb \
         lc lk lr ls lv ly ma me mg mk ml mm mn mo ms mt mu mv mw mx my mz na ng ni np nr nz om pa pe pf pg ph pk pl pn pr ps pt \
         py qa ro rs rw sa sb sc sd se sg sh sk sl sn so ss st sv sy sz tj tm tn to tr tt tw ua ug uk uy uz vc ve vi vn vu ws ye \
         za zm zw",
    ),
    (
        "or",
        "at bi ci ck cr er fk id it jm jp ke kr mm mu np pg th tz ug us",
    ),
    (
        "plc",
        "ck er fk jm ly mm np pg uk",
    ),
];

/// Domains that vendors give their customers names below, ascending. Source: the private section of the Public Suffix List, and the
/// vendors' documentation of their endpoints.
const SHARED: &[&str] = &[
    "a.run.app",
    "amazonaws.com",
    "appspot.com",
    "azure-api.net",
    "azureedge.net",
    "azurewebsites.net",
    "bitbucket.io",
    "blob.core.windows.net",
    "blogspot.com",
    "cloudapp.net",
    "cloudfront.net",
    "cloudfunctions.net",
    "ddns.net",
    "deno.dev",
    "duckdns.org",
    "dyndns.org",
    "elasticbeanstalk.com",
    "firebaseapp.com",
    "fly.dev",
    "github.io",
    "githubusercontent.com",
    "gitlab.io",
    "herokuapp.com",
    "hf.space",
    "myshopify.com",
    "netlify.app",
    "ngrok-free.app",
    "ngrok.io",
    "no-ip.org",
    "ondigitalocean.app",
    "onrender.com",
    "pages.dev",
    "r2.dev",
    "readthedocs.io",
    "repl.co",
    "replit.app",
    "run.app",
    "s3.amazonaws.com",
    "streamlit.app",
    "supabase.co",
    "surge.sh",
    "trafficmanager.net",
    "translate.goog",
    "up.railway.app",
    "vercel.app",
    "web.app",
    "workers.dev",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_levels_of_countries_and_domains_of_vendors_are_shared() {
        assert!(["co.uk", "com.au", "or.jp", "github.io", "s3.amazonaws.com"].into_iter().all(is_shared));
        assert!(!["example.com", "co.example", "github.com", "uk", "bbc.co.uk"].into_iter().any(is_shared));
        assert!(SHARED.is_sorted());
    }
}
