/// Of a server on this host, in PEM: for localhost, signed by itself, good for a hundred years and
/// for nothing but tests.
public enum LocalCertificate {
  public static let certificate = """
    -----BEGIN CERTIFICATE-----
    MIIBnDCCAUGgAwIBAgIUYNGKyTZ35FpMsfFYvN+n3F9Sso8wCgYIKoZIzj0EAwIw
    FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTA3MjQzNFoYDzIxMjYxMDI4
    MDcyNDM0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
    PQMBBwNCAATB4kgBFcvp0iRaG+QrEsfkZtAxw3IWX1C7DhILUuZW1pzCLYyD/hQ4
    hx5MDPanHVSgp9wIHshsduV0ixp1a6dco28wbTAdBgNVHQ4EFgQU8dAfFe/B0pUW
    3z2btcsvECsrApswHwYDVR0jBBgwFoAU8dAfFe/B0pUW3z2btcsvECsrApswDwYD
    VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
    zj0EAwIDSQAwRgIhAKWSdk6J6mNKpT/unmRWXF7jneu97PYxQ1zFzZ8WOOqXAiEA
    /z8r1C6LsbrBiV8F3oji3n34qLMd6KLBGj1YNSaIKCU=
    -----END CERTIFICATE-----
    """
  public static let key = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgwL7CrZ+2khnC+qSq
    sSr0n+4oE1L4e2bTn+8r/8kQ0UuhRANCAATB4kgBFcvp0iRaG+QrEsfkZtAxw3IW
    X1C7DhILUuZW1pzCLYyD/hQ4hx5MDPanHVSgp9wIHshsduV0ixp1a6dc
    -----END PRIVATE KEY-----
    """
}
