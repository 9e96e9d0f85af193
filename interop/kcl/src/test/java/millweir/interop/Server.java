package millweir.interop;

import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.core.interceptor.SdkExecutionAttribute;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.nio.netty.Http2Configuration;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.KinesisClientUtil;

/**
 * The running server, by {@code MILLWEIR_ENDPOINT} (http://HOST:PORT) and {@code MILLWEIR_CA}. All
 * three services of an application are this one endpoint.
 */
final class Server {
    static final String ACCOUNT = "666677778888";
    static final Region REGION = Region.EU_WEST_1;
    static final URI PLAIN = URI.create(System.getenv("MILLWEIR_ENDPOINT"));
    static final URI TLS = URI.create("https://localhost:" + PLAIN.getPort());

    private static final AtomicInteger APPLICATIONS = new AtomicInteger();

    /** The clients of one application: plain, or over TLS. */
    record Clients(
            KinesisAsyncClient kinesis,
            DynamoDbAsyncClient dynamo,
            CloudWatchAsyncClient cloudWatch)
            implements AutoCloseable {
        @Override
        public void close() {
            kinesis.close();
            dynamo.close();
            cloudWatch.close();
        }
    }

    /** Writes to the KCL's log what the SDK repeats without a word: answers of status 5xx. */
    private static final class Answers implements ExecutionInterceptor {
        @Override
        public void afterTransmission(
                Context.AfterTransmission context, ExecutionAttributes attributes) {
            int status = context.httpResponse().statusCode();
            if (status >= 500) {
                String operation = attributes.getAttribute(SdkExecutionAttribute.OPERATION_NAME);
                LoggerFactory.getLogger(Server.class).error("{}: {}", operation, status);
            }
        }
    }

    private Server() {}

    /** Of an application, and of its stream. */
    static String freshName() {
        return "kcl-" + ProcessHandle.current().pid() + "-" + APPLICATIONS.incrementAndGet();
    }

    /** HTTP/2 with prior knowledge for the stream, HTTP/1.1 for the tables. */
    static Clients plain() {
        return new Clients(
                KinesisClientUtil.createKinesisAsyncClient(at(PLAIN, KinesisAsyncClient.builder())),
                at(PLAIN, DynamoDbAsyncClient.builder()).build(),
                at(PLAIN, CloudWatchAsyncClient.builder()).build());
    }

    /**
     * HTTP/2 told by ALPN for the stream, HTTP/1.1 for the tables. The KCL's own helper replaces the
     * HTTP client and cannot be given an authority, so its settings are repeated here.
     */
    static Clients tls() {
        return new Clients(
                at(TLS, KinesisAsyncClient.builder())
                        .httpClientBuilder(
                                trusting()
                                        .protocol(Protocol.HTTP2)
                                        .maxConcurrency(Integer.MAX_VALUE)
                                        .http2Configuration(
                                                Http2Configuration.builder()
                                                        .initialWindowSize(512 * 1024)
                                                        .healthCheckPingPeriod(Duration.ofMinutes(1))
                                                        .build()))
                        .build(),
                at(TLS, DynamoDbAsyncClient.builder()).httpClientBuilder(trusting()).build(),
                at(TLS, CloudWatchAsyncClient.builder()).httpClientBuilder(trusting()).build());
    }

    private static NettyNioAsyncHttpClient.Builder trusting() {
        return NettyNioAsyncHttpClient.builder().tlsTrustManagersProvider(Server::trust);
    }

    private static <B extends AwsClientBuilder<B, C>, C> B at(URI endpoint, B builder) {
        return builder
                .endpointOverride(endpoint)
                .region(REGION)
                .overrideConfiguration(o -> o.addExecutionInterceptor(new Answers()))
                .credentialsProvider(
                        StaticCredentialsProvider.create(AwsBasicCredentials.create(ACCOUNT, "any")));
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
