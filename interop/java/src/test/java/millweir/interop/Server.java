package millweir.interop;

import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.core.retry.RetryMode;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisClient;

/**
 * The running server, by {@code MILLWEIR_ENDPOINT} (http://HOST:PORT) and {@code MILLWEIR_CA}, and
 * the SDK's clients of it. Their bodies are CBOR, as the SDK prefers.
 */
final class Server {
    static final String ACCOUNT = "333344445555";
    static final Region REGION = Region.US_WEST_2;
    static final URI PLAIN = URI.create(System.getenv("MILLWEIR_ENDPOINT"));
    static final URI TLS = URI.create("https://localhost:" + PLAIN.getPort());

    private static final AtomicInteger STREAMS = new AtomicInteger();

    private Server() {}

    static String freshName() {
        return "java-" + ProcessHandle.current().pid() + "-" + STREAMS.incrementAndGet();
    }

    /** HTTP/1.1, plain. */
    static KinesisClient sync() {
        return common(KinesisClient.builder(), PLAIN)
                .httpClientBuilder(UrlConnectionHttpClient.builder())
                .build();
    }

    /** HTTP/1.1 over TLS, trusting the authority that the server wrote. */
    static KinesisClient syncTls() {
        return common(KinesisClient.builder(), TLS)
                .httpClientBuilder(
                        UrlConnectionHttpClient.builder().tlsTrustManagersProvider(Server::trust))
                .build();
    }

    /** HTTP/2 over TLS, told by ALPN: what the KCL uses. */
    static KinesisAsyncClient async() {
        return common(KinesisAsyncClient.builder(), TLS)
                .httpClientBuilder(
                        NettyNioAsyncHttpClient.builder()
                                .protocol(Protocol.HTTP2)
                                .tlsTrustManagersProvider(Server::trust))
                .build();
    }

    /** HTTP/2 with prior knowledge, plain. */
    static KinesisAsyncClient asyncPlain() {
        return common(KinesisAsyncClient.builder(), PLAIN)
                .httpClientBuilder(NettyNioAsyncHttpClient.builder().protocol(Protocol.HTTP2))
                .build();
    }

    private static <B extends AwsClientBuilder<B, C>, C> B common(B builder, URI endpoint) {
        return builder
                .endpointOverride(endpoint)
                .region(REGION)
                .credentialsProvider(
                        StaticCredentialsProvider.create(AwsBasicCredentials.create(ACCOUNT, "any")))
                .overrideConfiguration(
                        o -> o.retryStrategy(RetryMode.STANDARD)
                                .retryStrategy(b -> b.maxAttempts(12)));
    }

    private static TrustManager[] trust() {
        try (InputStream pem = Files.newInputStream(Path.of(System.getenv("MILLWEIR_CA")))) {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            store.setCertificateEntry(
                    "millweir", CertificateFactory.getInstance("X.509").generateCertificate(pem));
            TrustManagerFactory factory =
                    TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(store);
            return factory.getTrustManagers();
        } catch (Exception e) {
            throw new IllegalStateException("MILLWEIR_CA is not a certificate file", e);
        }
    }
}
