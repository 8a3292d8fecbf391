//! TLS, SASL and delegation tokens.

use klamm_record::config::Validator;
use klamm_record::config_def;

use crate::config::later::{JAVA, SECURITY};

config_def! {
    /// TLS, SASL and delegation tokens.
    pub static SECURITY_CONFIGS;

    /// Secret that signs delegation tokens.
    "delegation.token.secret.key": password, null_default(), effect(SECURITY);
    /// Longest life of a delegation token.
    "delegation.token.max.lifetime.ms": long = 604_800_000, at_least(1), effect(SECURITY);
    /// Time after which a delegation token must be renewed.
    "delegation.token.expiry.time.ms": long = 86_400_000, at_least(1), effect(SECURITY);
    /// How often expired delegation tokens are looked for.
    "delegation.token.expiry.check.interval.ms": long = 3_600_000, at_least(1), low(),
        effect(SECURITY);
    /// Longest session before a client must authenticate again.
    "connections.max.reauth.ms": long = 0, effect(SECURITY);
    /// Largest message before authentication.
    "sasl.server.max.receive.size": int = 524_288, effect(SECURITY);
    /// Java security providers.
    "security.providers": string, null_default(), low(), effect(JAVA);
    /// Java class that makes principals.
    "principal.builder.class": class = "org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder",
        per_broker(), effect(JAVA);
    /// Whether clients must show a certificate: `required`, `requested` or `none`.
    "ssl.client.auth": string = "none", one_of(&["required", "requested", "none"]), per_broker(),
        effect(SECURITY);
    /// How a certificate's name becomes a principal.
    "ssl.principal.mapping.rules": string = "DEFAULT", low(), effect(SECURITY);
    /// Whether a new certificate may have another distinguished name.
    "ssl.allow.dn.changes": boolean = false, low(), effect(SECURITY);
    /// Whether a new certificate may have other alternative names.
    "ssl.allow.san.changes": boolean = false, low(), effect(SECURITY);
    /// TLS version to start with.
    "ssl.protocol": string = "TLSv1.3", per_broker(), effect(SECURITY);
    /// Java provider of TLS.
    "ssl.provider": string, null_default(), per_broker(), effect(JAVA);
    /// TLS versions that are accepted.
    "ssl.enabled.protocols": list = &["TLSv1.2", "TLSv1.3"], per_broker(), effect(SECURITY);
    /// Kind of the key store.
    "ssl.keystore.type": string = "JKS", per_broker(), effect(SECURITY);
    /// File of the key store.
    "ssl.keystore.location": string, null_default(), per_broker(), effect(SECURITY);
    /// Password of the key store.
    "ssl.keystore.password": password, null_default(), per_broker(), effect(SECURITY);
    /// Password of the private key.
    "ssl.key.password": password, null_default(), per_broker(), effect(SECURITY);
    /// Private key as PEM.
    "ssl.keystore.key": password, null_default(), per_broker(), effect(SECURITY);
    /// Certificate chain as PEM.
    "ssl.keystore.certificate.chain": password, null_default(), per_broker(), effect(SECURITY);
    /// Kind of the trust store.
    "ssl.truststore.type": string = "JKS", per_broker(), effect(SECURITY);
    /// File of the trust store.
    "ssl.truststore.location": string, null_default(), per_broker(), effect(SECURITY);
    /// Password of the trust store.
    "ssl.truststore.password": password, null_default(), per_broker(), effect(SECURITY);
    /// Trusted certificates as PEM.
    "ssl.truststore.certificates": password, null_default(), per_broker(), effect(SECURITY);
    /// Java key manager.
    "ssl.keymanager.algorithm": string = "SunX509", per_broker(), effect(JAVA);
    /// Java trust manager.
    "ssl.trustmanager.algorithm": string = "PKIX", per_broker(), effect(JAVA);
    /// How a server's name is checked against its certificate.
    "ssl.endpoint.identification.algorithm": string = "https", low(), per_broker(),
        effect(SECURITY);
    /// Java source of randomness.
    "ssl.secure.random.implementation": string, null_default(), low(), per_broker(), effect(JAVA);
    /// Cipher suites that are accepted.
    "ssl.cipher.suites": list = &[], per_broker(), effect(SECURITY);
    /// Java class that makes TLS engines.
    "ssl.engine.factory.class": class, null_default(), low(), per_broker(), effect(JAVA);
    /// SASL mechanism between brokers.
    "sasl.mechanism.inter.broker.protocol": string = "GSSAPI", per_broker(), effect(SECURITY);
    /// SASL mechanisms that clients may use.
    "sasl.enabled.mechanisms": list = &["GSSAPI"], per_broker(), effect(SECURITY);
    /// Java class behind server-side SASL.
    "sasl.server.callback.handler.class": class, null_default(), effect(JAVA);
    /// How a Kerberos name becomes a principal.
    "sasl.kerberos.principal.to.local.rules": list = &["DEFAULT"], per_broker(), effect(SECURITY);
    /// Login of a listener and mechanism, as JAAS text.
    "sasl.jaas.config": password, null_default(), per_broker(), effect(SECURITY);
    /// Java class behind client-side SASL.
    "sasl.client.callback.handler.class": class, null_default(), effect(JAVA);
    /// Java class that logs in.
    "sasl.login.class": class, null_default(), effect(JAVA);
    /// Java class behind the login.
    "sasl.login.callback.handler.class": class, null_default(), effect(JAVA);
    /// Name of the Kerberos service.
    "sasl.kerberos.service.name": string, null_default(), per_broker(), effect(SECURITY);
    /// The command `kinit`.
    "sasl.kerberos.kinit.cmd": string = "/usr/bin/kinit", per_broker(), effect(SECURITY);
    /// Share of a ticket's life after which it is renewed.
    "sasl.kerberos.ticket.renew.window.factor": double = 0.8, per_broker(), effect(SECURITY);
    /// Randomness of the renewal.
    "sasl.kerberos.ticket.renew.jitter": double = 0.05, per_broker(), effect(SECURITY);
    /// Shortest time between two logins.
    "sasl.kerberos.min.time.before.relogin": long = 60_000, per_broker(), effect(SECURITY);
    /// Share of a credential's life after which it is refreshed.
    "sasl.login.refresh.window.factor": double = 0.8, per_broker(), effect(SECURITY);
    /// Randomness of the refresh.
    "sasl.login.refresh.window.jitter": double = 0.05, per_broker(), effect(SECURITY);
    /// Shortest time before a credential is refreshed.
    "sasl.login.refresh.min.period.seconds": short = 60, per_broker(), effect(SECURITY);
    /// Time before expiry at which a credential is refreshed.
    "sasl.login.refresh.buffer.seconds": short = 300, per_broker(), effect(SECURITY);
    /// How long a connection to the identity provider may take.
    "sasl.login.connect.timeout.ms": int, null_default(), low(), effect(SECURITY);
    /// How long an answer of the identity provider may take.
    "sasl.login.read.timeout.ms": int, null_default(), low(), effect(SECURITY);
    /// Longest pause between tries to log in.
    "sasl.login.retry.backoff.max.ms": long = 10_000, low(), effect(SECURITY);
    /// First pause between tries to log in.
    "sasl.login.retry.backoff.ms": long = 100, low(), effect(SECURITY);
    /// Java class that fetches tokens.
    "sasl.oauthbearer.jwt.retriever.class": class = "org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever",
        effect(JAVA);
    /// Java class that checks tokens.
    "sasl.oauthbearer.jwt.validator.class": class = "org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator",
        effect(JAVA);
    /// Scope asked for.
    "sasl.oauthbearer.scope": string, null_default(), effect(SECURITY);
    /// Client id for the identity provider.
    "sasl.oauthbearer.client.credentials.client.id": string, null_default(), effect(SECURITY);
    /// Client secret for the identity provider.
    "sasl.oauthbearer.client.credentials.client.secret": password, null_default(),
        effect(SECURITY);
    /// Signature algorithm of an assertion.
    "sasl.oauthbearer.assertion.algorithm": string = "RS256",
        validator(Validator::OneOfIgnoringCase(&["ES256", "RS256"])), effect(SECURITY);
    /// Audience of an assertion.
    "sasl.oauthbearer.assertion.claim.aud": string, null_default(), effect(SECURITY);
    /// Life of an assertion.
    "sasl.oauthbearer.assertion.claim.exp.seconds": int = 300, between(0, 86_400), low(),
        effect(SECURITY);
    /// Issuer of an assertion.
    "sasl.oauthbearer.assertion.claim.iss": string, null_default(), effect(SECURITY);
    /// Whether an assertion carries an id.
    "sasl.oauthbearer.assertion.claim.jti.include": boolean = false, effect(SECURITY);
    /// Time before now from which an assertion is valid.
    "sasl.oauthbearer.assertion.claim.nbf.seconds": int = 60, between(0, 3600), low(),
        effect(SECURITY);
    /// Subject of an assertion.
    "sasl.oauthbearer.assertion.claim.sub": string, null_default(), effect(SECURITY);
    /// File with a ready assertion.
    "sasl.oauthbearer.assertion.file": string, null_default(), effect(SECURITY);
    /// File with the key that signs assertions.
    "sasl.oauthbearer.assertion.private.key.file": string, null_default(), effect(SECURITY);
    /// Passphrase of that key.
    "sasl.oauthbearer.assertion.private.key.passphrase": password, null_default(),
        effect(SECURITY);
    /// File with claims and headers of assertions.
    "sasl.oauthbearer.assertion.template.file": string, null_default(), effect(SECURITY);
    /// Claim that holds the scope.
    "sasl.oauthbearer.scope.claim.name": string = "scope", low(), effect(SECURITY);
    /// Claim that holds the subject.
    "sasl.oauthbearer.sub.claim.name": string = "sub", low(), effect(SECURITY);
    /// Where tokens are fetched.
    "sasl.oauthbearer.token.endpoint.url": string, null_default(), effect(SECURITY);
    /// Where signing keys are fetched.
    "sasl.oauthbearer.jwks.endpoint.url": string, null_default(), effect(SECURITY);
    /// How often signing keys are fetched.
    "sasl.oauthbearer.jwks.endpoint.refresh.ms": long = 3_600_000, low(), effect(SECURITY);
    /// First pause between tries to fetch signing keys.
    "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms": long = 100, low(), effect(SECURITY);
    /// Longest pause between tries to fetch signing keys.
    "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms": long = 10_000, low(), effect(SECURITY);
    /// Difference of clocks that is forgiven.
    "sasl.oauthbearer.clock.skew.seconds": int = 30, low(), effect(SECURITY);
    /// Audiences that are accepted.
    "sasl.oauthbearer.expected.audience": list = &[], high(), effect(SECURITY);
    /// Issuer that is accepted.
    "sasl.oauthbearer.expected.issuer": string, null_default(), high(), effect(SECURITY);
}
