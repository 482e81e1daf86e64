# Stage lint: the sources are formatted as .swift-format says.
# shellcheck shell=bash
stage_lint() {
  claim "swift format lint --strict is silent" swift format lint --strict --parallel -r Sources Tests Package.swift
}
