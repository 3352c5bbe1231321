"""Addresses of the application."""

from django.urls import path

from workshop.views import home

urlpatterns = [path("", home)]
