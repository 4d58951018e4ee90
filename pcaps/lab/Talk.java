import java.io.FileInputStream;
import java.io.InputStream;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/** A TLS server or client of the Java runtime: {@code Talk serve|call HOST PORT PROTOCOLS SUITES [KEYSTORE]}. */
class Talk {
    private static final char[] PASSWORD = "made-for-the-lab".toCharArray();
    private static final byte[] LINE = "GET /index.html HTTP/1.0\r\n\r\n".getBytes();

    /** Trusts everybody: the lab's certificates are made a second before. */
    private static final TrustManager ANYBODY = new X509TrustManager() {
        public void checkClientTrusted(X509Certificate[] chain, String type) { }
        public void checkServerTrusted(X509Certificate[] chain, String type) { }
        public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
    };

    public static void main(String[] a) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(a.length > 5 ? keys(a[5]).getKeyManagers() : null, new TrustManager[] {ANYBODY}, null);
        if (a[0].equals("serve")) {
            serve(context, Integer.parseInt(a[2]), a[3], a[4]);
        } else {
            call(context, a[1], Integer.parseInt(a[2]), a[3], a[4]);
        }
    }

    private static KeyManagerFactory keys(String path) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = new FileInputStream(path)) {
            store.load(in, PASSWORD);
        }
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store, PASSWORD);
        return factory;
    }

    private static void serve(SSLContext context, int port, String protocols, String suites) throws Exception {
        SSLServerSocket listener = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(port);
        if (!protocols.isEmpty()) listener.setEnabledProtocols(protocols.split(","));
        if (!suites.isEmpty()) listener.setEnabledCipherSuites(suites.split(","));
        while (true) {
            try (SSLSocket peer = (SSLSocket) listener.accept()) {
                peer.getOutputStream().write(peer.getInputStream().readNBytes(LINE.length));
            } catch (java.io.IOException refused) {
                System.err.println(refused);
            }
        }
    }

    private static void call(SSLContext context, String host, int port, String protocols, String suites)
            throws Exception {
        try (SSLSocket peer = (SSLSocket) context.getSocketFactory().createSocket(host, port)) {
            if (!protocols.isEmpty()) peer.setEnabledProtocols(protocols.split(","));
            if (!suites.isEmpty()) peer.setEnabledCipherSuites(suites.split(","));
            peer.getOutputStream().write(LINE);
            peer.getInputStream().readNBytes(LINE.length);
        }
    }
}
